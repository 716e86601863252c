import type { ApplicationPart } from './application-part.js';
import type { ApplicationState } from './stage.js';

/** Several processes of one application: they share its tables and its outbox, and each has a relay inside. */
export class Applications {
  readonly parts: readonly [ApplicationPart, ...ApplicationPart[]];

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
      // Each sees all that is in the one outbox.
      pending: Math.max(...states.map(({ pending }) => pending)),
      resting: states.every(({ resting }) => resting),
    };
  }

  /** One after the other: the first makes what is missing, the others find it. */
  async start(): Promise<void> {
    for (const part of this.parts) await part.start();
  }

  async rest(): Promise<void> {
    await Promise.all(this.parts.map((part) => part.rest()));
  }

  writeLast(): Promise<void> {
    return this.parts[0].writeLast();
  }
}
