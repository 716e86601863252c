import { PregonError } from '@pregon/protocol';
import type { Identity } from '../ports/admission.js';
import type { Rights } from '../ports/rights.js';
import type { EncodedSnapshot } from './encoded-snapshot.js';
import type { HoldLimits } from './held-snapshots.js';
import type { IdentitySnapshotRequest, SnapshotIdentity, SnapshotSource } from './snapshot.js';
import { type SnapshotKind, SnapshotReader, type Standpoint } from './snapshot-reader.js';

/** What a snapshot depends on: the topics that the client may read, or its identity as well. */
export type SnapshotScope = 'rights' | 'identity';

/** The client that a snapshot is for. */
export interface SnapshotClient {
  readonly rights: Rights | undefined;
  readonly identity: Identity | undefined;
}

const ALL_TOPICS: readonly string[] = ['#'];

/** The kind of a snapshot that has the rows of all topics. */
const WHOLE: SnapshotKind = { key: '', request: { topics: ALL_TOPICS, identity: undefined } };

/** The snapshots of a route: decides which clients share one. */
export class RouteSnapshots {
  readonly #per: SnapshotScope | undefined;
  readonly #reader: SnapshotReader;

  /** @param per undefined if the snapshot has the rows of all topics */
  constructor(read: SnapshotSource, per: SnapshotScope | undefined, limits?: HoldLimits) {
    this.#per = per;
    this.#reader = new SnapshotReader(read, limits);
  }

  /**
   * Reads the snapshot of a client, or shares one. The caller must release it.
   *
   * @throws PregonError FORBIDDEN | SNAPSHOT_UNAVAILABLE
   */
  async read(client: SnapshotClient, standpoint: Standpoint): Promise<EncodedSnapshot> {
    const forbidden = forbiddenSnapshot(client.rights, this.#per);
    if (forbidden !== undefined) throw new PregonError('FORBIDDEN', forbidden);
    return this.#reader.read(this.#kindOf(client), standpoint);
  }

  #kindOf({ rights, identity }: SnapshotClient): SnapshotKind {
    if (this.#per === undefined) return WHOLE;
    // Not the key of the rights: an admission of the application chooses it, and it must not lead to the rows of others.
    // Rights that differ only in what the client may send share a snapshot.
    const { subscribe: topics } = rights ?? { subscribe: ALL_TOPICS };
    return kindOf({ topics, identity: this.#per === 'identity' && identity ? toldIdentity(identity) : undefined });
  }
}

/**
 * Why a client may not have a snapshot; undefined if it may. A snapshot that does not know the rights has the rows of
 * all topics, and the gateway cannot tell which ones the rights allow.
 */
export function forbiddenSnapshot(rights: Rights | undefined, per: SnapshotScope | undefined): string | undefined {
  if (!rights || rights.subscribe.includes('#')) return undefined;
  if (per === undefined) return 'a snapshot needs the right to all topics of the route';
  // A reader could take an empty list for no limit at all.
  return rights.subscribe.length > 0 ? undefined : 'a snapshot needs the right to a topic of the route';
}

/** Claims that differ between the tokens of one user (RFC 7519 section 4.1): no two tokens could share a read. */
const OF_ONE_TOKEN: ReadonlySet<string> = new Set(['exp', 'nbf', 'iat', 'jti']);

/** All that the snapshot may depend on is in the key. */
function kindOf(request: IdentitySnapshotRequest): SnapshotKind {
  return { key: JSON.stringify([request.topics, request.identity]), request };
}

/** @throws PregonError SNAPSHOT_UNAVAILABLE if the application's own claims cannot be written as JSON */
function toldIdentity({ iss, sub, claims = {} }: Identity): SnapshotIdentity {
  try {
    const lasting = Object.entries(claims).filter(([name]) => !OF_ONE_TOKEN.has(name));
    // A copy: what the reader is told is exactly what the key is made of.
    return { iss, sub, claims: JSON.parse(JSON.stringify(Object.fromEntries(lasting))) };
  } catch (cause) {
    throw new PregonError('SNAPSHOT_UNAVAILABLE', 'the claims of the identity are not JSON', { cause });
  }
}
