import {
  assertEvent,
  assertEventLimits,
  createEvent,
  encodeSequence,
  messageOf,
  type NewEvent,
  PregonError,
  type PregonEvent,
  parseMembersExactly,
} from '@pregon/protocol';
import { v7 } from 'uuid';

/** What a caller says of an event. Its `source` is that of the outbox, since a sequence counts within one source. */
export type OutboxEvent<Data = unknown> = Omit<NewEvent<Data>, 'source'>;

/** An event that is ready to be written: all but its sequence, which the table gives. */
export interface EncodedEvent<Data> {
  readonly event: PregonEvent<Data>;
  /** The event as JSON text, without its sequence. */
  readonly text: string;
  /** The bytes of UTF-8 that the log will see, sequence included. */
  readonly bytes: number;
}

export interface EncodeOptions {
  readonly source: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly maxEventBytes: number;
}

/** What {@link withSequence} adds to the JSON text. Sequences are of one length, so that this is exact. */
export const SEQUENCE_BYTES = `,"sequence":"${encodeSequence(0)}"`.length;

/**
 * Completes, validates and encodes an event, so that whatever passes here is one that every log takes: an event that a log
 * refused would stand in the way of all behind it.
 *
 * @throws PregonError EVENT_INVALID | EVENT_TOO_LARGE
 * @throws TypeError where `data` holds what JSON cannot, or the event names another source
 */
export function encodeEvent<Data>(event: OutboxEvent<Data>, options: EncodeOptions): EncodedEvent<Data> {
  if ('source' in event && event.source !== options.source) {
    throw new TypeError(`the source of an event is that of its outbox, ${JSON.stringify(options.source)}`);
  }
  const complete = createEvent(
    { ...event, source: options.source },
    { id: v7(), time: new Date(options.now).toISOString() },
  );
  const text = toJson(complete);
  assertEventLimits(complete, text);
  const bytes = Buffer.byteLength(text) + SEQUENCE_BYTES;
  if (bytes > options.maxEventBytes) {
    throw new PregonError(
      'EVENT_TOO_LARGE',
      `${complete.type} has ${bytes} bytes; at most ${options.maxEventBytes} are taken`,
    );
  }
  return { event: complete, text, bytes };
}

export function withSequence<Data>(event: PregonEvent<Data>, sequence: number): PregonEvent<Data> {
  return { ...event, sequence: encodeSequence(sequence) };
}

/**
 * The event in a row.
 *
 * @param text the column as the driver gives it
 * @throws PregonError EVENT_INVALID if {@link encodeEvent} cannot have made it: another program wrote it, or an older version
 */
export function decodeEvent(sequence: number, text: unknown): PregonEvent {
  try {
    if (typeof text !== 'string') throw new TypeError('it is no text');
    const event = parseRow(text);
    assertEvent(event);
    assertEventLimits(event, text);
    return withSequence(event, sequence);
  } catch (cause) {
    const why = messageOf(cause);
    throw new PregonError('EVENT_INVALID', `row ${sequence} of the outbox holds no event: ${why}`, { cause });
  }
}

/** A row of `add` is what `JSON.stringify` makes of it; one that another program wrote may hold numbers that JavaScript cannot. */
function parseRow(text: string): unknown {
  const event: unknown = JSON.parse(text);
  return JSON.stringify(event) === text ? event : parseMembersExactly(text);
}

function toJson(event: PregonEvent): string {
  const { data, type } = event;
  // JSON.stringify would leave these out without a word, and the event would arrive without its data.
  if (typeof data === 'function' || typeof data === 'symbol') {
    throw new TypeError(`the data of ${type} is a ${typeof data}, which JSON cannot hold`);
  }
  try {
    return JSON.stringify(event);
  } catch (cause) {
    // The stack ends before the nesting does.
    if (cause instanceof RangeError) throw new PregonError('EVENT_INVALID', `${type} is nested too deeply`, { cause });
    throw new TypeError(`the data of ${type} cannot be written as JSON: ${String(cause)}`, { cause });
  }
}
