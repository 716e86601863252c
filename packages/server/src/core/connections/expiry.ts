import { CLOSE_CODES, type CloseCode } from '@pregon/protocol';
import type { TurnBudget } from '../incoming/turn-budget.js';
import type { Identity } from '../ports/admission.js';
import type { Clock } from '../time/clock.js';
import { SlotWheel } from '../time/slot-wheel.js';
import { wallClockOf } from '../time/wall-clock.js';

/** A connection whose rights can end while it is open. */
export interface RightsHolder {
  /** The rights have ended: nothing more is delivered or accepted. Must not throw. */
  endRights(code: CloseCode): void;
  /**
   * Closes the connection, and discards what waits. Called at once or some time after {@link RightsHolder.endRights};
   * must not throw.
   */
  closeEnded(code: CloseCode): void;
}

/** A connection whose rights end at a known time. */
export interface Expiring extends RightsHolder {
  /** By the gateway's clock, in milliseconds; undefined if the rights do not end. */
  readonly expiresAt: number | undefined;
  /** Its rights end with it, also if that is earlier by the time of day than by the gateway's clock. */
  readonly identity?: Pick<Identity, 'expiresAtMs'> | undefined;
  /** When the client is told that its rights end soon, by the same clock; undefined if it is not told. */
  readonly warnsAt?: number | undefined;
  /** Tells the client that its rights end soon. Must not throw. */
  warn?(now: number): void;
}

export interface ExpiryOptions {
  readonly clock: Clock;
  /** The time of day, in milliseconds since 1970-01-01 UTC. */
  readonly wallClock: () => number;
  /** Ending the rights of many connections in the same second is spread over event loop turns. */
  readonly turn: TurnBudget;
  /** A random number from 0 to 1, without 1. */
  readonly random: () => number;
  /** How long rights outlive the expiry. @default {@link RIGHTS_LEEWAY_MS} */
  readonly leewayMs?: number | undefined;
  /** The time over which the closes are spread, so that the clients do not all reconnect at once. @default 5000 */
  readonly spreadMs?: number;
}

/** How long rights outlive the expiry of an identity, in milliseconds, because clocks differ. */
export const RIGHTS_LEEWAY_MS = 5_000;
const SPREAD_MS = 5_000;

/** A client is told that its identity expires when a tenth of its time is left, within these limits and not too early. */
const WARNING = { least: 5_000, most: 60_000 };

/**
 * When to tell a client that its identity expires.
 *
 * @param now when the identity was admitted; by the same clock as `expiresAt`, in milliseconds
 */
export function warningTime(expiresAt: number, now: number): number {
  const leftMs = expiresAt - now;
  const leadMs = Math.min(Math.max(leftMs / 10, WARNING.least), WARNING.most, leftMs / 2);
  return Math.max(now, expiresAt - leadMs);
}

/**
 * Ends the rights of connections when their identity expires, and closes them; before that, tells those that want to
 * know. A connection has no timer of its own until it is about to be closed.
 *
 * Rights end at the earlier time of two clocks. The gateway's clock stands still while the machine is suspended, and the
 * time of day can be set back; neither extends a token.
 */
export class Expiry {
  readonly #leewayMs: number;
  readonly #ends: SlotWheel<Expiring>;
  readonly #endsByWallClock: SlotWheel<Expiring>;
  readonly #warnings: SlotWheel<Expiring>;

  constructor(options: ExpiryOptions) {
    const { clock, wallClock, turn, random, leewayMs = RIGHTS_LEEWAY_MS, spreadMs = SPREAD_MS } = options;
    this.#leewayMs = leewayMs;
    const run = (connection: Expiring) => {
      this.delete(connection);
      connection.endRights(CLOSE_CODES.TOKEN_EXPIRED);
      clock.after(random() * spreadMs, () => connection.closeEnded(CLOSE_CODES.TOKEN_EXPIRED));
    };
    this.#ends = new SlotWheel({ clock, turn, run });
    this.#endsByWallClock = new SlotWheel({ clock: wallClockOf(clock, wallClock), turn, run });
    this.#warnings = new SlotWheel({ clock, turn, run: (connection) => connection.warn?.(clock.now()) });
  }

  get size(): number {
    return this.#ends.size;
  }

  /** Adds a connection. Does nothing if its rights do not end. */
  add(connection: Expiring): void {
    const { expiresAt, warnsAt, identity } = connection;
    if (expiresAt === undefined) return;
    this.#ends.add(connection, expiresAt + this.#leewayMs);
    if (identity?.expiresAtMs !== undefined) {
      this.#endsByWallClock.add(connection, identity.expiresAtMs + this.#leewayMs);
    }
    if (warnsAt !== undefined) this.#warnings.add(connection, warnsAt);
  }

  /** Removes a connection. Call it before its times change. */
  delete(connection: Expiring): void {
    const { expiresAt, warnsAt, identity } = connection;
    if (expiresAt === undefined) return;
    this.#ends.delete(connection, expiresAt + this.#leewayMs);
    if (identity?.expiresAtMs !== undefined) {
      this.#endsByWallClock.delete(connection, identity.expiresAtMs + this.#leewayMs);
    }
    if (warnsAt !== undefined) this.#warnings.delete(connection, warnsAt);
  }

  /** Ends the rights of connections whose time has come, also if the timer is late. Call it before a delivery. */
  endDue(): void {
    this.#ends.runDue();
    this.#endsByWallClock.runDue();
  }

  stop(): void {
    this.#ends.stop();
    this.#endsByWallClock.stop();
    this.#warnings.stop();
  }
}
