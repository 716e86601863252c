import { PregonError } from './errors.js';
import { isTopic } from './topics.js';

/**
 * An event: an immutable fact in the log. A CloudEvents 1.0 object in its JSON format, with the extension attributes
 * `topic`, `exchange`, `position` and `sequence`.
 *
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 */
export interface PregonEvent<Data = unknown> {
  readonly specversion: '1.0';
  /** Unique together with `source`: the pair is what makes a repetition known. */
  readonly id: string;
  /** A URI reference that names the producer: `/auction`. */
  readonly source: string;
  /** What happened: `UserWasCreated`. */
  readonly type: string;
  /** What it happened to: `user/42`. */
  readonly subject?: string;
  /** When it happened, RFC 3339. */
  readonly time?: string;
  readonly datacontenttype?: string;
  readonly dataschema?: string;
  readonly data?: Data;
  /** Binary data, base64. */
  readonly data_base64?: string;
  /** The dotted routing key: `user.42.created`. */
  readonly topic: string;
  /** Where the producer published it. */
  readonly exchange: string;
  /** Its number at its source, see {@link encodeSequence}. */
  readonly sequence?: string;
  /** Where it stands in the log; set by the gateway. */
  readonly position?: string;
}

/** What a producer says of an event; the rest is completed by {@link createEvent}. */
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

/** The most bytes of UTF-8 JSON that one event may have, 1 MiB, unless a log is opened with another `maxEventBytes`. */
export const DEFAULT_MAX_EVENT_BYTES = 1_048_576;

const SEQUENCE_DIGITS = 16;

/** A number as the CloudEvents `sequence` extension wants it: a string whose lexicographic order is the order. */
export function encodeSequence(sequence: number): string {
  if (!Number.isSafeInteger(sequence) || sequence < 0) throw new RangeError(`not a sequence: ${sequence}`);
  return String(sequence).padStart(SEQUENCE_DIGITS, '0');
}

/** The number in a `sequence` attribute; undefined where it is none that fits a safe integer. */
export function decodeSequence(sequence: string): number | undefined {
  if (!/^\d{1,20}$/.test(sequence)) return undefined;
  const value = Number(sequence);
  return Number.isSafeInteger(value) ? value : undefined;
}

/**
 * Completes an event. Pure: the caller brings the id and the time that stand in where the event names none.
 *
 * @throws PregonError EVENT_INVALID
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
 * Tells whether a value is an event, in the words of the CloudEvents specification; extension attributes beside ours are kept.
 *
 * @throws PregonError EVENT_INVALID, with what is wrong
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
    throw invalid('data and data_base64 exclude each other');
  if (!isTopic(String(value['topic'])))
    throw invalid(`topic is not a dotted routing key: ${JSON.stringify(value['topic'])}`);
}

function invalid(message: string): PregonError {
  return new PregonError('EVENT_INVALID', message);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
