import type { NewEvent } from '@pregon/protocol';

const NUMBER_DIGITS = 12;
const MICROS_DIGITS = 16;
const SENT = Buffer.from('"sent":"');

/** The minimum size of the data: the send time and the names in the JSON. */
export const MIN_DATA_BYTES = JSON.stringify({ sent: '0'.repeat(MICROS_DIGITS), fill: '' }).length;

/** The current time in microseconds since 1970, from a monotonic clock. */
export function nowMicros(): number {
  return Math.floor((performance.timeOrigin + performance.now()) * 1_000);
}

/** What an event of this run contains about itself. */
export interface OwnEvent {
  /** Counted from 0, in the order of sending. */
  readonly number: number;
  readonly sentMicros: number;
}

/**
 * Makes and recognizes the events of a run. The id of each contains the name of the run and the event's number; the
 * data contains the send time. Both have a fixed width, so that they can be read from an event's bytes without parsing.
 */
export class NumberedEvents {
  readonly run: string;
  readonly #size: number;
  readonly #prefix: Buffer;

  /** @param size bytes of each event's data, as JSON */
  constructor(run: string, size: number) {
    this.run = run;
    this.#size = size;
    this.#prefix = Buffer.from(`"id":"${run}-`);
  }

  make(number: number, topic: string): Omit<NewEvent, 'exchange'> & { readonly topic: string } {
    const fill = 'x'.repeat(Math.max(0, this.#size - MIN_DATA_BYTES));
    return {
      topic,
      type: 'PregonBench',
      source: '/pregon/bench',
      id: `${this.run}-${String(number).padStart(NUMBER_DIGITS, '0')}`,
      data: { sent: String(nowMicros()).padStart(MICROS_DIGITS, '0'), fill },
    };
  }

  /** Undefined if the event is not of this run. */
  read(event: Buffer): OwnEvent | undefined {
    const at = event.indexOf(this.#prefix);
    if (at === -1) return undefined;
    const sent = event.indexOf(SENT, at);
    if (sent === -1) return undefined;
    const number = digits(event, at + this.#prefix.length, NUMBER_DIGITS);
    const sentMicros = digits(event, sent + SENT.length, MICROS_DIGITS);
    return Number.isNaN(number) || Number.isNaN(sentMicros) ? undefined : { number, sentMicros };
  }
}

function digits(bytes: Buffer, start: number, count: number): number {
  let value = 0;
  for (let at = start; at < start + count; at++) {
    const digit = (bytes[at] ?? 0) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}
