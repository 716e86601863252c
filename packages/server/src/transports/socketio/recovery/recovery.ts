import { randomBytes } from 'node:crypto';
import type { Namespace } from 'socket.io';
import type { Session } from 'socket.io-adapter';
import type { Clock } from '../../../core/time/clock.js';
import { breakOff } from '../../../private-fields/socket-io.js';
import type { EndedSessions } from './ended-sessions.js';
import { parseOffset } from './offset.js';
import { PrivateSessions } from './private-session.js';

/** How many of those who went are remembered, with their rooms and data. */
const MOST_KEPT = 10_000;

/** How long the application's middlewares may take over one who comes back. */
const RESTORE_TIMEOUT_MS = 10_000;

export interface RecoveryOptions {
  /** The same for all gateways to which a client may return. */
  readonly secret: string | undefined;
  /** Whether the log still holds the event at a position. */
  readonly canServe: (position: string) => Promise<boolean>;
  /** How long rooms and data are remembered here. */
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
 * Gives those who come back with a position that can be served their id again, on whatever gateway: what proves it is signed, and nothing
 * has to be kept. Where the gateway is the one that they left a moment ago, they get their rooms and data too.
 */
export class Recovery {
  readonly #sessions: PrivateSessions;
  readonly #options: RecoveryOptions;
  /** In the order of their time. */
  readonly #remembered = new Map<string, Remembered>();
  /** Until when those who are being restored may take to enter, in the order of their time: two sockets of one id would be in each other's way. */
  readonly #underWay = new Map<string, number>();

  constructor(options: RecoveryOptions) {
    this.#options = options;
    this.#sessions = new PrivateSessions(options.secret ?? randomBytes(32).toString('base64url'));
  }

  /** What a client is given to come back with. */
  sign(namespace: string, id: string): string {
    return this.#sessions.sign(namespace, id);
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
   * What is remembered stays so until the client has entered: a middleware may refuse it now and admit it a moment later, with a new token.
   *
   * @returns undefined if a new session has to begin: the private id or the position is not valid, the client left by itself, or somebody
   *   else is returning as the same
   */
  async restore(namespace: Namespace, pid: string, offset: string): Promise<Session | undefined> {
    const sid = this.#sessions.verify(namespace.name, pid);
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

  /** A client that was restored has entered. */
  entered(sid: string): void {
    this.#underWay.delete(sid);
    this.#remembered.delete(sid);
  }

  /** A client that was restored was not admitted, and may try again. */
  refused(sid: string): void {
    this.#underWay.delete(sid);
  }

  /**
   * A client is gone. If its session was not kept, it did not lose its connection: it left by itself, or the server disconnected it.
   * Socket.IO offers no recovery then.
   */
  left(sid: string): void {
    if (!this.#remembered.has(sid)) this.#options.endedSessions.add(sid);
  }

  /** False where the same is being restored already. */
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
 * The gateway may not know yet that the client's earlier connection broke. All namespaces of that connection end as those of a lost
 * connection do, which keeps the session of each.
 */
function replace(namespace: Namespace, sid: string): void {
  const broken = namespace.sockets.get(sid);
  if (!broken) return;
  breakOff(broken.client);
  // Engine.IO may be amid closing already.
  if (namespace.sockets.has(sid)) broken.disconnect(true);
}
