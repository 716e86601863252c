import { decodeSequence, type LogPoint, type PregonEvent } from '@pregon/protocol';

interface LocatingLog {
  append(events: readonly PregonEvent[]): Promise<unknown>;
  locate(sequence: number, source: string | undefined): Promise<LogPoint | undefined>;
}

/** A log that counts what the relay appends though it is there: after a kill between append and removal, or a lost answer. */
export class CountingLog {
  appendedAgain = 0;
  readonly #log: LocatingLog;
  /** Whether the first that comes may be there already. */
  #uncertain = true;

  constructor(log: LocatingLog) {
    this.#log = log;
  }

  async append(events: readonly PregonEvent[]): Promise<unknown> {
    const again = this.#uncertain ? await this.#present(events) : 0;
    this.#uncertain = true;
    const points = await this.#log.append(events);
    this.#uncertain = false;
    this.appendedAgain += again;
    return points;
  }

  /** What is appended is a run, so those that are there come first. */
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
