import type { RequestId } from '@pregon/protocol';
import type { Subscription } from '../subscriptions/subscription.js';

const NONE: readonly Subscription[] = [];

/**
 * The open subscriptions of one connection, in the order in which they were opened. As a rule there is one. A map would
 * cost each idle connection two hundred bytes, a list sixty.
 */
export class OpenSubscriptions {
  #first: Subscription | undefined;
  /** Each change makes a new list. */
  #later = NONE;

  get hasSeveral(): boolean {
    return this.#later.length > 0;
  }

  /** Later changes do not change this list. */
  get all(): readonly Subscription[] {
    return this.#first ? [this.#first, ...this.#later] : NONE;
  }

  find(id: RequestId): Subscription | undefined {
    return this.all.find((subscription) => subscription.id === id);
  }

  add(subscription: Subscription): void {
    this.#replace([...this.all, subscription]);
  }

  delete(id: RequestId): void {
    this.#replace(this.all.filter((subscription) => subscription.id !== id));
  }

  /** Removes all subscriptions, and returns them. */
  clear(): readonly Subscription[] {
    const { all } = this;
    this.#replace(NONE);
    return all;
  }

  #replace(all: readonly Subscription[]): void {
    this.#first = all[0];
    this.#later = all.length > 1 ? all.slice(1) : NONE;
  }
}
