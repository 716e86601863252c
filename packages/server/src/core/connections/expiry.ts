import { CLOSE_CODES, type CloseCode } from '@pregon/protocol';
import type { TurnBudget } from '../incoming/turn-budget.js';
import { type Clock, MAX_TIMER_MS } from '../time/clock.js';

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
}

export interface ExpiryOptions {
  readonly clock: Clock;
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

/** The precision of the wheel: rights end up to this much later. */
const SLOT_MS = 250;

/**
 * Ends the rights of connections when their identity expires, and closes them. All connections share one timer: they
 * are kept in slots of {@link SLOT_MS}.
 */
export class Expiry {
  readonly #options: ExpiryOptions & { readonly leewayMs: number; readonly spreadMs: number };
  readonly #slots = new Map<number, Set<Expiring>>();
  #cancel: (() => void) | undefined;
  #next = Number.POSITIVE_INFINITY;

  constructor(options: ExpiryOptions) {
    const { leewayMs = RIGHTS_LEEWAY_MS, spreadMs = SPREAD_MS } = options;
    this.#options = { ...options, leewayMs, spreadMs };
  }

  get size(): number {
    let size = 0;
    for (const { size: members } of this.#slots.values()) size += members;
    return size;
  }

  /** Adds a connection. Does nothing if its rights do not end. */
  add(connection: Expiring): void {
    const slot = this.#slotOf(connection);
    if (slot === undefined) return;
    const members = this.#slots.get(slot) ?? new Set();
    this.#slots.set(slot, members);
    members.add(connection);
    if (slot < this.#next) this.#schedule(slot);
  }

  delete(connection: Expiring): void {
    const slot = this.#slotOf(connection);
    const members = slot === undefined ? undefined : this.#slots.get(slot);
    if (slot === undefined || !members?.delete(connection) || members.size > 0) return;
    this.#slots.delete(slot);
  }

  stop(): void {
    this.#cancel?.();
    this.#slots.clear();
  }

  #slotOf({ expiresAt }: Expiring): number | undefined {
    return expiresAt === undefined ? undefined : Math.ceil((expiresAt + this.#options.leewayMs) / SLOT_MS);
  }

  #schedule(slot: number): void {
    this.#cancel?.();
    this.#next = slot;
    const { clock } = this.#options;
    const delayMs = Math.min(Math.max(slot * SLOT_MS - clock.now(), 0), MAX_TIMER_MS);
    this.#cancel = clock.after(delayMs, () => this.#due());
  }

  #due(): void {
    const now = this.#options.clock.now();
    this.#next = Number.POSITIVE_INFINITY;
    let earliest = Number.POSITIVE_INFINITY;
    for (const [slot, members] of this.#slots) {
      if (slot * SLOT_MS > now) earliest = Math.min(earliest, slot);
      else {
        this.#slots.delete(slot);
        this.#end([...members]);
      }
    }
    if (earliest < Number.POSITIVE_INFINITY) this.#schedule(earliest);
  }

  #end(members: readonly Expiring[]): void {
    const { turn, clock, random, spreadMs } = this.#options;
    let done = 0;
    const some = () => {
      while (done < members.length && !turn.isSpent) {
        const member = members[done];
        done += 1;
        member?.endRights(CLOSE_CODES.TOKEN_EXPIRED);
        if (member) clock.after(random() * spreadMs, () => member.closeEnded(CLOSE_CODES.TOKEN_EXPIRED));
        turn.look();
      }
      if (done < members.length) turn.wait(some);
    };
    turn.wait(some);
  }
}
