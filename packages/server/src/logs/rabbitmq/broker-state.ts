import type { RabbitLogOptions, RabbitState } from './options.js';

/** Combines the reports of several connections into one state of the broker, and reports its changes. */
export class BrokerState {
  readonly #broker: string;
  readonly #tell: (state: RabbitState) => void;
  readonly #waiting = new Set<string>();

  constructor(broker: string, tell: (state: RabbitState) => void) {
    this.#broker = broker;
    this.#tell = tell;
  }

  waiting(who: string, error: Error): void {
    const isNew = this.#waiting.size === 0;
    this.#waiting.add(who);
    if (isNew) this.#tell({ state: 'waiting', broker: this.#broker, error });
  }

  connected(who: string): void {
    if (this.#waiting.delete(who) && this.#waiting.size === 0) this.#tell({ state: 'connected', broker: this.#broker });
  }
}

/** The default for `onState`: warns while the broker cannot be reached. */
export function toWarning(warn: (error: Error) => void): NonNullable<RabbitLogOptions['onState']> {
  return (state) => {
    if (state.state === 'waiting') {
      warn(new Error(`waiting for RabbitMQ at ${state.broker}: ${state.error.message}`, { cause: state.error }));
    }
  };
}
