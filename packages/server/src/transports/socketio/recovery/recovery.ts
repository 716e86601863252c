import { randomBytes } from 'node:crypto';
import type { Namespace } from 'socket.io';
import type { Session } from 'socket.io-adapter';
import type { Identity } from '../../../core/ports/admission.js';
import type { Clock } from '../../../core/time/clock.js';
import { breakOff } from '../../../private-fields/socket-io.js';
import type { EndedSessions } from './ended-sessions.js';
import { parseOffset } from './offset.js';
import { PrivateSessions } from './private-session.js';

/** How many disconnected clients are remembered, with their rooms and data. */
const MOST_KEPT = 10_000;

/** How long the application's middlewares may take for a returning client. */
const RESTORE_TIMEOUT_MS = 10_000;

export interface RecoveryOptions {
  /** The secret that is shared by all gateways to which a client may return. */
  readonly secret: string | undefined;
  /** Whether the log still holds the event at a position. */
  readonly canServe: (position: string) => Promise<boolean>;
  /** How long rooms and data are kept on this gateway, in milliseconds. */
  readonly rememberMs: number;
  readonly clock: Clock;
  readonly endedSessions: EndedSessions;
}

interface Remembered {
  readonly rooms: Session['rooms'];
  readonly data: unknown;
  readonly until: number;
}

/**
 * Restores the id of a client that returns with a position that can be served. This works on any gateway, because the
 * client proves its id with a signature and nothing has to be stored. A client that returns soon to the same gateway
 * also gets its rooms and data back.
 */
export class Recovery {
  readonly #sessions: PrivateSessions;
  readonly #options: RecoveryOptions;
  /** In order of expiry. */
  readonly #remembered = new Map<string, Remembered>();
  /**
   * The deadlines by which restored clients must enter, in order of time. Two sockets with the same id would interfere
   * with each other.
   */
  readonly #underWay = new Map<string, number>();

  constructor(options: RecoveryOptions) {
    this.#options = options;
    this.#sessions = new PrivateSessions(options.secret ?? randomBytes(32).toString('base64url'));
  }

  /** Returns the private session id for a client. */
  sign(namespace: string, id: string, identity: Identity | undefined): string {
    return this.#sessions.sign(namespace, id, identity);
  }

  /**
   * Whether a restored session belongs to the identity that has now been admitted. Otherwise its rooms and data belong
   * to another user, and the session ends: the client begins a new one when it returns.
   */
  belongsTo(namespace: string, pid: unknown, identity: Identity | undefined): boolean {
    const session = typeof pid === 'string' ? this.#sessions.verify(namespace, pid) : undefined;
    if (!session) return false;
    if (session.owner === this.#sessions.ownerOf(session.id, identity)) return true;
    this.#remembered.delete(session.id);
    this.#options.endedSessions.add(session.id);
    return false;
  }

  keep({ sid, rooms, data }: Pick<Session, 'sid' | 'rooms' | 'data'>): void {
    const now = this.#options.clock.now();
    this.#remembered.delete(sid);
    this.#remembered.set(sid, { rooms, data, until: now + this.#options.rememberMs });
    for (const [oldest, { until }] of this.#remembered) {
      if (until > now && this.#remembered.size <= MOST_KEPT) break;
      this.#remembered.delete(oldest);
    }
  }

  /**
   * Restores a session. Its rooms and data stay in memory until the client has entered: a middleware may refuse the
   * client now and admit it a moment later, with a new token.
   *
   * @returns undefined if a new session must begin: the private session id or the position is not valid, the client
   *   ended its session, or another connection is already returning with the same id
   */
  async restore(namespace: Namespace, pid: string, offset: string): Promise<Session | undefined> {
    const sid = this.#sessions.verify(namespace.name, pid)?.id;
    const place = parseOffset(offset);
    if (sid === undefined || place === undefined || this.#options.endedSessions.has(sid)) return undefined;
    if (!this.#begin(sid)) return undefined;
    const canServe = await this.#options.canServe(place.position).catch(() => false);
    if (!canServe) {
      this.refused(sid);
      return undefined;
    }
    replace(namespace, sid);
    const remembered = this.#remembered.get(sid);
    const { rooms, data } =
      remembered && remembered.until > this.#options.clock.now() ? remembered : { rooms: [], data: {} };
    return { sid, pid, rooms, data, missedPackets: [] };
  }

  /** A restored client has entered. */
  entered(sid: string): void {
    this.#underWay.delete(sid);
    this.#remembered.delete(sid);
  }

  /** A restored client was not admitted, and may try again. */
  refused(sid: string): void {
    this.#underWay.delete(sid);
  }

  /**
   * A client has left. If its session was not kept, its connection did not break: the client disconnected on purpose,
   * or the server disconnected it. Socket.IO does not recover such sessions.
   */
  left(sid: string): void {
    if (!this.#remembered.has(sid)) this.#options.endedSessions.add(sid);
  }

  /** Returns false if the same session is already being restored. */
  #begin(sid: string): boolean {
    const now = this.#options.clock.now();
    for (const [other, until] of this.#underWay) {
      if (until > now) break;
      this.#underWay.delete(other);
    }
    if (this.#underWay.has(sid)) return false;
    this.#underWay.set(sid, now + RESTORE_TIMEOUT_MS);
    return true;
  }
}

/**
 * Ends the client's earlier connection, which the gateway may not know to be broken yet. All namespaces of that
 * connection end as with a broken connection, which keeps their sessions.
 */
function replace(namespace: Namespace, sid: string): void {
  const broken = namespace.sockets.get(sid);
  if (!broken) return;
  breakOff(broken.client);
  // Engine.IO may already be closing.
  if (namespace.sockets.has(sid)) broken.disconnect(true);
}
