import type { TurnBudget } from '../incoming/turn-budget.js';
import { type Clock, MAX_TIMER_MS } from './clock.js';

/** The precision: work is done up to this much later. */
const SLOT_MS = 250;

/** How long {@link SlotWheel.runDue} may take, in milliseconds. */
const RUN_DUE_MS = 5;

export interface SlotWheelOptions<Item> {
  readonly clock: Clock;
  /** The work of one slot is spread over event loop turns. */
  readonly turn: TurnBudget;
  /** Called once for each item, at its time; must not throw. */
  readonly run: (item: Item) => void;
}

/** Runs work at the time of each item. All items share one timer: they are kept in slots of {@link SLOT_MS}. */
export class SlotWheel<Item> {
  readonly #options: SlotWheelOptions<Item>;
  readonly #slots = new Map<number, Set<Item>>();
  /** The items whose time has come, and which wait for their event loop turn. */
  readonly #due = new Set<Item>();
  #isRunning = false;
  #cancel: (() => void) | undefined;
  #next = Number.POSITIVE_INFINITY;

  constructor(options: SlotWheelOptions<Item>) {
    this.#options = options;
  }

  get size(): number {
    let size = 0;
    for (const { size: items } of this.#slots.values()) size += items;
    return size;
  }

  /** @param at the time by the clock, in milliseconds. A time that has passed is the next slot */
  add(item: Item, at: number): void {
    const slot = slotOf(at);
    const items = this.#slots.get(slot) ?? new Set();
    this.#slots.set(slot, items);
    items.add(item);
    if (slot < this.#next) this.#schedule(slot);
  }

  /** Removes an item that was not run yet. @param at as in {@link SlotWheel.add} */
  delete(item: Item, at: number): void {
    this.#due.delete(item);
    const slot = slotOf(at);
    const items = this.#slots.get(slot);
    if (items?.delete(item) && items.size === 0) this.#slots.delete(slot);
  }

  /**
   * Runs at once what is due, as far as it takes a few milliseconds; the rest follows in later turns. For work that must
   * wait neither for its turn nor for its timer: after a pause of the process, data from sockets and files is often
   * handled before timers.
   */
  runDue(): void {
    const { clock, run } = this.#options;
    const now = clock.now();
    if (this.#next * SLOT_MS <= now) {
      this.#cancel?.();
      this.#look();
    }
    for (const item of this.#due) {
      this.#due.delete(item);
      run(item);
      if (clock.now() - now >= RUN_DUE_MS) return;
    }
  }

  stop(): void {
    this.#cancel?.();
    this.#slots.clear();
    this.#due.clear();
  }

  #schedule(slot: number): void {
    this.#cancel?.();
    this.#next = slot;
    const { clock } = this.#options;
    const delayMs = Math.min(Math.max(slot * SLOT_MS - clock.now(), 0), MAX_TIMER_MS);
    this.#cancel = clock.after(delayMs, () => this.#look());
  }

  #look(): void {
    const now = this.#options.clock.now();
    this.#next = Number.POSITIVE_INFINITY;
    let earliest = Number.POSITIVE_INFINITY;
    for (const [slot, items] of this.#slots) {
      if (slot * SLOT_MS > now) earliest = Math.min(earliest, slot);
      else {
        this.#slots.delete(slot);
        for (const item of items) this.#due.add(item);
      }
    }
    if (earliest < Number.POSITIVE_INFINITY) this.#schedule(earliest);
    if (this.#due.size > 0 && !this.#isRunning) this.#run();
  }

  #run(): void {
    const { turn, run } = this.#options;
    this.#isRunning = true;
    const some = () => {
      for (const item of this.#due) {
        if (turn.isSpent) break;
        this.#due.delete(item);
        run(item);
        turn.look();
      }
      this.#isRunning = this.#due.size > 0;
      if (this.#isRunning) turn.wait(some);
    };
    turn.wait(some);
  }
}

function slotOf(at: number): number {
  return Math.ceil(at / SLOT_MS);
}
