import { endOfRevocation, isRevocationKey, parseRevocation, type Revocation, toError } from '@pregon/protocol';
import type { Revocable, RevocationWatch } from '../../core/connections/revocable.js';
import { readJson } from '../../core/json-input.js';
import type { Identity } from '../../core/ports/admission.js';
import type { Kept, KeptChanges, KeptState, KeptValue } from '../../core/ports/kept.js';
import type { LogEntry, StopFollowing } from '../../core/ports/log-entry.js';
import { RevocableConnections, type RevocableConnectionsOptions } from './revocable-connections.js';
import { ends, type InForce, RevokedSet } from './revoked-set.js';

/** A revocation has short names only. A larger event is not one, and is not parsed. */
const MOST_BYTES = 8_192;

/** How many expired revocations may be in memory. */
const MOST_EXPIRED = 1_000;

/** With more changes at once, an identity is looked up among all revocations instead of compared with each change. */
const MOST_COMPARED = 16;

export interface RevocationsOptions extends Omit<RevocableConnectionsOptions, 'onFailed'> {
  readonly kept: Pick<Kept, 'follow' | 'put'>;
  /** How long tokens are valid at most, in milliseconds. @default 86400000 (24 h) */
  readonly maxTokenLifetimeMs?: number | undefined;
  readonly logger: {
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

/**
 * The revocations of a log, as a gateway knows them. The kept values of the log decide who is admitted. Both a change of
 * them and the event about it end open connections: the change also reaches a gateway that reads other exchanges only,
 * and the event ends them at its place in the log.
 */
export class Revocations implements RevocationWatch {
  readonly #options: RevocationsOptions;
  readonly #revoked = new RevokedSet();
  readonly #connections: RevocableConnections;
  #stop: StopFollowing = async () => {};

  /**
   * Resolves when all present revocations are known.
   *
   * @throws PregonError CONFIG_INVALID | LOG_UNAVAILABLE | LOG_CLOSED
   */
  static async open(options: RevocationsOptions): Promise<Revocations> {
    const revocations = new Revocations(options);
    revocations.#stop = await options.kept.follow((state, changes) => revocations.#changed(state, changes));
    return revocations;
  }

  private constructor(options: RevocationsOptions) {
    this.#options = options;
    const { logger } = options;
    const onFailed = (err: unknown) => logger.error({ err }, 'a handler failed when a revoked connection was ended');
    this.#connections = new RevocableConnections({ ...options, onFailed });
  }

  has(identity: Identity): boolean {
    return this.#revoked.has(identity, Date.now());
  }

  add(connection: Revocable): void {
    this.#connections.add(connection);
    if (connection.identity && this.has(connection.identity)) this.#connections.endOne(connection);
  }

  delete(connection: Revocable): void {
    this.#connections.delete(connection);
  }

  /** Takes events of the reserved exchange, before any event after them is delivered. Never throws. */
  read(entries: readonly LogEntry[]): void {
    const revocations: Revocation[] = [];
    for (const { payload, offset } of entries) {
      try {
        if (payload.length <= MOST_BYTES) revocations.push(revocationIn(payload));
      } catch (err) {
        this.#options.logger.warn({ offset, err: toError(err) }, 'an event of the exchange $pregon cannot be read');
      }
    }
    this.#end(revocations);
  }

  close(): Promise<void> {
    return this.#stop();
  }

  #changed(state: KeptState, changes: KeptChanges | undefined): void {
    const added: Revocation[] = [];
    // The state may be that of another log.
    if (!changes) this.#revoked.clear();
    for (const [key, kept] of changes ?? state) {
      if (!isRevocationKey(key)) continue;
      const inForce = this.#set(key, kept);
      if (!inForce || !kept) continue;
      added.push(inForce.revocation);
      this.#keepLongEnough(key, kept, inForce);
    }
    if (this.#revoked.size > state.size + MOST_EXPIRED) this.#revoked.retain(state);
    this.#end(added);
  }

  #set(key: string, kept: KeptValue | undefined): InForce | undefined {
    try {
      return this.#revoked.set(key, kept);
    } catch (err) {
      this.#options.logger.warn({ key, err: toError(err) }, 'a kept revocation cannot be read, and has no effect');
      return undefined;
    }
  }

  /**
   * The process that revoked may not know how long the tokens of this gateway are valid. And of two processes that revoke
   * at the same moment, the one with the earlier time may be the last to write.
   */
  #keepLongEnough(key: string, { value, expiresAt }: KeptValue, { revocation, isKept }: InForce): void {
    const { kept, maxTokenLifetimeMs, logger } = this.#options;
    const end = endOfRevocation(revocation, maxTokenLifetimeMs);
    if (isKept && (expiresAt === undefined || expiresAt >= end)) return;
    kept
      .put(key, isKept ? value : JSON.stringify(revocation), { expiresAt: end })
      .catch((err: unknown) =>
        logger.warn({ err }, 'a revocation may end before the tokens that it revokes: its time could not be extended'),
      );
  }

  #end(revocations: readonly Revocation[]): void {
    if (revocations.length === 0) return;
    this.#connections.end(
      revocations.length > MOST_COMPARED
        ? (identity) => this.has(identity)
        : (identity) => revocations.some((revocation) => ends(revocation, identity)),
    );
  }
}

/** @throws TypeError | RangeError | SyntaxError */
function revocationIn(payload: Uint8Array): Revocation {
  const event = readJson(payload, 'the event');
  return parseRevocation(typeof event === 'object' && event !== null && 'data' in event ? event.data : undefined);
}
