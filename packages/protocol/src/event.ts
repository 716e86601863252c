import { PregonError } from './errors.js';
import { assertNotReserved } from './revocations/reserved-exchange.js';
import { isTopic } from './topics.js';

/**
 * An event: an immutable fact in the log. A CloudEvents 1.0 object in its JSON format, with the extension attributes
 * `topic`, `exchange`, `position` and `sequence`.
 *
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 */
export interface PregonEvent<Data = unknown> {
  readonly specversion: '1.0';
  /** Unique together with `source`: logs recognize a repeated event by this pair. */
  readonly id: string;
  /** A URI reference that names the producer: `/auction`. */
  readonly source: string;
  /** The name of what happened: `UserWasCreated`. */
  readonly type: string;
  /** The object that the event is about: `user/42`. */
  readonly subject?: string;
  /** The time of the event, RFC 3339. */
  readonly time?: string;
  readonly datacontenttype?: string;
  readonly dataschema?: string;
  readonly data?: Data;
  /** Binary data, encoded as base64. */
  readonly data_base64?: string;
  /** The dotted routing key: `user.42.created`. */
  readonly topic: string;
  /** The exchange to which the producer published the event. */
  readonly exchange: string;
  /** The number of the event at its source, see {@link encodeSequence}. */
  readonly sequence?: string;
  /** The position of the event in the log; the gateway sets it. */
  readonly position?: string;
}

/** The attributes that a producer gives; {@link createEvent} adds the others. */
export interface NewEvent<Data = unknown> {
  readonly exchange: string;
  readonly topic: string;
  readonly type: string;
  readonly data?: Data;
  readonly subject?: string;
  /** @default '/' */
  readonly source?: string;
  /** @default a new UUID, version 7 */
  readonly id?: string;
  /** RFC 3339. @default now */
  readonly time?: string;
}

/** The default size limit of one event: 1 MiB of UTF-8 JSON. A log can be opened with another `maxEventBytes`. */
export const DEFAULT_MAX_EVENT_BYTES = 1_048_576;

const SEQUENCE_DIGITS = 16;

/**
 * Encodes a number for the CloudEvents `sequence` extension: a string whose lexicographic order is the numeric order.
 *
 * @throws RangeError if it is not an integer from 0 to 2^53 − 1
 * @example
 * encodeSequence(42); // '0000000000000042'
 */
export function encodeSequence(sequence: number): string {
  if (!Number.isSafeInteger(sequence) || sequence < 0) {
    throw new RangeError(`a sequence must be an integer from 0 to 2^53 - 1, not ${sequence}`);
  }
  return String(sequence).padStart(SEQUENCE_DIGITS, '0');
}

/**
 * Reads the number in a `sequence` attribute.
 *
 * @returns undefined if the text is not a number or exceeds 2^53 − 1
 * @example
 * decodeSequence('0000000000000042'); // 42
 */
export function decodeSequence(sequence: string): number | undefined {
  if (!/^\d{1,20}$/.test(sequence)) return undefined;
  const value = Number(sequence);
  return Number.isSafeInteger(value) ? value : undefined;
}

/**
 * Completes and checks an event. The function is pure: the caller provides the id and time to use if the event has
 * none.
 *
 * @throws PregonError EVENT_INVALID if an attribute is missing or invalid, or the exchange is reserved
 * @example
 * createEvent(
 *   { exchange: 'my_events', topic: 'user.42.created', type: 'UserWasCreated', data: { id: 42 } },
 *   { id: crypto.randomUUID(), time: new Date().toISOString() },
 * );
 */
export function createEvent<Data>(event: NewEvent<Data>, fallback: { id: string; time: string }): PregonEvent<Data> {
  const complete: PregonEvent<Data> = {
    specversion: '1.0',
    id: event.id ?? fallback.id,
    source: event.source ?? '/',
    type: event.type,
    ...(event.subject === undefined ? {} : { subject: event.subject }),
    time: event.time ?? fallback.time,
    ...(event.data === undefined ? {} : { datacontenttype: 'application/json', data: event.data }),
    topic: event.topic,
    exchange: event.exchange,
  };
  assertEvent(complete);
  assertNotReserved(complete.exchange);
  return complete;
}

const OPTIONAL_TEXTS = [
  'subject',
  'time',
  'datacontenttype',
  'dataschema',
  'data_base64',
  'sequence',
  'position',
] as const;
const REQUIRED_TEXTS = ['id', 'source', 'type', 'topic', 'exchange'] as const;

/**
 * Checks that a value is an event according to the CloudEvents specification. Unknown extension attributes are allowed.
 *
 * @throws PregonError EVENT_INVALID; the message names the first invalid attribute
 * @example
 * assertEvent(JSON.parse(text));
 */
export function assertEvent(value: unknown): asserts value is PregonEvent {
  if (!isRecord(value)) throw invalid('an event is a JSON object');
  if (value['specversion'] !== '1.0') throw invalid('specversion must be "1.0"');
  for (const name of REQUIRED_TEXTS) {
    const text = value[name];
    if (typeof text !== 'string' || text.length === 0) throw invalid(`${name} must be a non-empty string`);
  }
  for (const name of OPTIONAL_TEXTS) {
    if (value[name] !== undefined && typeof value[name] !== 'string') throw invalid(`${name} must be a string`);
  }
  if (value['data'] !== undefined && value['data_base64'] !== undefined)
    throw invalid('an event must not have both data and data_base64');
  if (!isTopic(String(value['topic'])))
    throw invalid(`topic is not a dotted routing key: ${JSON.stringify(value['topic'])}`);
}

function invalid(message: string): PregonError {
  return new PregonError('EVENT_INVALID', message);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
