import {
  assertEvent,
  assertEventLimits,
  assertNotReserved,
  createEvent,
  encodeSequence,
  messageOf,
  type NewEvent,
  PregonError,
  type PregonEvent,
  parseMembersExactly,
} from '@pregon/protocol';
import { v7 } from 'uuid';

/**
 * The attributes that a caller gives. The `source` is that of the outbox, because a sequence counts within one source.
 */
export type OutboxEvent<Data = unknown> = Omit<NewEvent<Data>, 'source'>;

/** An event that is ready to be written: complete except for its sequence, which the table assigns. */
export interface EncodedEvent<Data> {
  readonly event: PregonEvent<Data>;
  /** The event as JSON text, without its sequence. */
  readonly text: string;
  /** The size of the event in the log, in bytes of UTF-8, including its sequence. */
  readonly bytes: number;
}

export interface EncodeOptions {
  readonly source: string;
  /** The current time, in milliseconds since the epoch. */
  readonly now: number;
  readonly maxEventBytes: number;
}

/** The bytes that {@link withSequence} adds to the JSON text. All sequences have the same length, so this is exact. */
export const SEQUENCE_BYTES = `,"sequence":"${encodeSequence(0)}"`.length;

/**
 * Completes, checks and encodes an event, so that every log accepts it: an event that a log refused would block all
 * events after it.
 *
 * @throws PregonError EVENT_INVALID | EVENT_TOO_LARGE
 * @throws TypeError if JSON cannot represent `data`, or if the event names another source
 */
export function encodeEvent<Data>(event: OutboxEvent<Data>, options: EncodeOptions): EncodedEvent<Data> {
  if ('source' in event && event.source !== options.source) {
    throw new TypeError(`the source of an event must be that of its outbox, ${JSON.stringify(options.source)}`);
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
      `${complete.type} has ${bytes} bytes; the limit is ${options.maxEventBytes}`,
    );
  }
  return { event: complete, text, bytes };
}

export function withSequence<Data>(event: PregonEvent<Data>, sequence: number): PregonEvent<Data> {
  return { ...event, sequence: encodeSequence(sequence) };
}

/**
 * Reads the event in a row.
 *
 * @param text the column as the driver returns it
 * @throws PregonError EVENT_INVALID if {@link encodeEvent} cannot have made it: another program or an older version
 * wrote it
 */
export function decodeEvent(sequence: number, text: unknown): PregonEvent {
  try {
    if (typeof text !== 'string') throw new TypeError('it is not a text');
    const event = parseRow(text);
    assertEvent(event);
    assertEventLimits(event, text);
    assertNotReserved(event.exchange);
    return withSequence(event, sequence);
  } catch (cause) {
    const why = messageOf(cause);
    throw new PregonError('EVENT_INVALID', `row ${sequence} of the outbox holds no event: ${why}`, { cause });
  }
}

/**
 * `add` writes what `JSON.stringify` returns. A row of another program may hold numbers that JavaScript cannot
 * represent.
 */
function parseRow(text: string): unknown {
  const event: unknown = JSON.parse(text);
  return JSON.stringify(event) === text ? event : parseMembersExactly(text);
}

function toJson(event: PregonEvent): string {
  const { data, type } = event;
  // JSON.stringify would omit these silently, and the event would arrive without its data.
  if (typeof data === 'function' || typeof data === 'symbol') {
    throw new TypeError(`the data of ${type} is a ${typeof data}, which JSON cannot represent`);
  }
  try {
    return JSON.stringify(event);
  } catch (cause) {
    // The nesting overflowed the stack.
    if (cause instanceof RangeError) throw new PregonError('EVENT_INVALID', `${type} is nested too deeply`, { cause });
    throw new TypeError(`the data of ${type} cannot be written as JSON: ${String(cause)}`, { cause });
  }
}
