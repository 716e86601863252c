import { randomBytes } from 'node:crypto';
import type { Namespace } from 'socket.io';
import type { Session } from 'socket.io-adapter';
import type { Clock } from '../../core/clock.js';
import { parseOffset } from './offset.js';
import { PrivateSessions } from './private-session.js';

/** How many of those who went are remembered, with their rooms and data. */
const MOST_KEPT = 10_000;

/** How long the application's middlewares may take over one who comes back. */
const ENTERING_MS = 10_000;

export interface RecoveryOptions {
  /** The same for all gateways to which a client may return. */
  readonly secret: string | undefined;
  /** Whether the log still holds the event at a position. */
  readonly canServe: (position: string) => Promise<boolean>;
  /** How long rooms and data are remembered here. */
  readonly rememberMs: number;
  readonly clock: Clock;
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

  async restore(namespace: Namespace, pid: string, offset: string): Promise<Session | undefined> {
    const sid = this.#sessions.verify(namespace.name, pid);
    const place = parseOffset(offset);
    if (sid === undefined || place === undefined) return undefined;
    if (!this.#begin(sid)) return undefined;
    if (!(await this.#options.canServe(place.position))) return undefined;
    this.#replace(namespace, sid);
    const remembered = this.#remembered.get(sid);
    this.#remembered.delete(sid);
    const { rooms, data } =
      remembered && remembered.until > this.#options.clock.now() ? remembered : { rooms: [], data: {} };
    return { sid, pid, rooms, data, missedPackets: [] };
  }

  /** One who was restored is in. */
  entered(sid: string): void {
    this.#underWay.delete(sid);
  }

  /** False where the same is being restored already. */
  #begin(sid: string): boolean {
    const now = this.#options.clock.now();
    for (const [other, until] of this.#underWay) {
      if (until > now) break;
      this.#underWay.delete(other);
    }
    if (this.#underWay.has(sid)) return false;
    this.#underWay.set(sid, now + ENTERING_MS);
    return true;
  }

  /** Of the connection that broke, this gateway may not know yet. */
  #replace(namespace: Namespace, sid: string): void {
    const broken = namespace.sockets.get(sid);
    if (!broken) return;
    this.keep({ sid, rooms: [...broken.rooms], data: broken.data });
    broken.disconnect(true);
  }
}
