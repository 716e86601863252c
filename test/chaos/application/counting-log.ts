import type { AppendableLog } from '@pregon/outbox';
import { decodeSequence, type LogPoint, type PregonEvent } from '@pregon/protocol';
import type { Death } from './death.js';

interface AppendOptions {
  readonly points?: boolean;
}

interface LocatingLog {
  readonly kept: NonNullable<AppendableLog['kept']>;
  append(events: readonly PregonEvent[], options?: AppendOptions): Promise<unknown>;
  locate(sequence: number, source: string | undefined): Promise<LogPoint | undefined>;
}

/**
 * A log that counts events that the relay appends although it already holds them: after a kill between append and
 * removal, or after a lost answer.
 */
export class CountingLog {
  appendedAgain = 0;
  readonly #log: LocatingLog;
  readonly #death: Death;
  /** Whether the log may already hold the first events of the next append. */
  #uncertain = true;

  constructor(log: LocatingLog, death: Death) {
    this.#log = log;
    this.#death = death;
  }

  get kept(): LocatingLog['kept'] {
    return this.#log.kept;
  }

  async append(events: readonly PregonEvent[], options?: AppendOptions): Promise<unknown> {
    // Revocations have no sequence, and may be recorded again.
    if (events.every(({ sequence }) => sequence === undefined)) return this.#passing(events, options);
    const again = this.#uncertain ? await this.#present(events) : 0;
    this.#uncertain = true;
    const points = await this.#passing(events, options);
    this.#uncertain = false;
    this.appendedAgain += again;
    return points;
  }

  async #passing(events: readonly PregonEvent[], options?: AppendOptions): Promise<unknown> {
    this.#death.at('before append');
    const points = await this.#log.append(events, options);
    this.#death.at('after append');
    return points;
  }

  /** The events are consecutive, so the ones that are already present come first. */
  async #present(events: readonly PregonEvent[]): Promise<number> {
    let present = 0;
    for (const { sequence = '', source } of events) {
      const number = decodeSequence(sequence);
      if (number === undefined || !(await this.#log.locate(number, source))) break;
      present += 1;
    }
    return present;
  }
}
