import type { RevocationKind } from '../verification/truth.js';
import type { ApplicationPart } from './application-part.js';
import type { ApplicationState } from './stage.js';

/** Several processes of one application, which share its tables and its outbox; each runs a relay. */
export class Applications {
  readonly parts: readonly [ApplicationPart, ...ApplicationPart[]];
  #revocations = 0;

  constructor(parts: readonly [ApplicationPart, ...ApplicationPart[]]) {
    this.parts = parts;
  }

  get state(): ApplicationState {
    const states = this.parts.map(({ state }) => state);
    const sum = (count: (state: ApplicationState) => number) =>
      states.reduce((total, state) => total + count(state), 0);
    return {
      committed: sum(({ committed }) => committed),
      rolledBack: sum(({ rolledBack }) => rolledBack),
      failed: sum(({ failed }) => failed),
      appendedAgain: sum(({ appendedAgain }) => appendedAgain),
      // Each process reports the whole outbox.
      pending: Math.max(...states.map(({ pending }) => pending)),
      resting: states.every(({ resting }) => resting),
    };
  }

  /** One after the other: the first creates the tables, the others find them. */
  async start(): Promise<void> {
    for (const part of this.parts) await part.start();
  }

  async rest(): Promise<void> {
    await Promise.all(this.parts.map((part) => part.rest()));
  }

  /** The processes take turns. One that is killed at that moment may do nothing, or everything but tell about it. */
  revoke(kind: RevocationKind, user: string): void {
    const part = this.parts[this.#revocations++ % this.parts.length];
    if (part?.pid !== undefined) part.revoke(kind, user);
  }

  writeLast(): Promise<void> {
    return this.parts[0].writeLast();
  }
}
