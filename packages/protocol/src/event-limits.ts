import { PregonError } from './errors.js';
import type { PregonEvent } from './event.js';
import { assertJsonShape } from './json-shape.js';
import { MAX_TOPIC_BYTES } from './topics.js';
import { utf8Length } from './utf8-length.js';

/**
 * The limits of an event. They are the same for every log, so any log accepts an event that another log accepted. The
 * strictest log sets each limit: names are short strings of AMQP 0-9-1, and `id`, `source` and `type` share one header
 * of a RabbitMQ message.
 *
 * @see docs/reference/limits.md#events
 */
export const EVENT_LIMITS = {
  /** Bytes of UTF-8. An AMQP short string. */
  exchangeBytes: 255,
  /** Bytes of UTF-8. An AMQP short string. */
  topicBytes: MAX_TOPIC_BYTES,
  /** Bytes of UTF-8. An AMQP short string. */
  typeBytes: 255,
  /** Bytes of UTF-8. */
  idBytes: 1_024,
  /** Bytes of UTF-8. */
  sourceBytes: 1_024,
  /** Bytes of UTF-8. */
  subjectBytes: 1_024,
  /** The nesting depth of arrays and objects in the event; the event itself is level 1. */
  depth: 256,
  /** The highest value of `maxEventBytes`: 64 MiB. */
  maxEventBytes: 67_108_864,
} as const;

const SIZED = [
  ['exchange', EVENT_LIMITS.exchangeBytes],
  ['topic', EVENT_LIMITS.topicBytes],
  ['type', EVENT_LIMITS.typeBytes],
  ['id', EVENT_LIMITS.idBytes],
  ['source', EVENT_LIMITS.sourceBytes],
  ['subject', EVENT_LIMITS.subjectBytes],
] as const;

/** Fast path: printable ASCII, which nearly all names are. */
const PLAIN_NAME = /^[ -~]*$/;
const BAD_CHARACTERS = /[\p{Cc}\p{Cs}]/u;

/**
 * AMQP reserves this prefix for the broker. The two predefined exchanges are allowed because routes may carry them as
 * events.
 */
const RESERVED_PREFIX = 'amq.';
const PREDEFINED = ['amq.topic', 'amq.fanout'];

/**
 * Checks that every log can hold an event.
 *
 * @param event an event that has passed {@link assertEvent}
 * @param text the event as JSON
 * @throws PregonError EVENT_INVALID if an attribute is too long, the exchange is not a valid name, or the nesting is
 * too deep
 * @example
 * assertEventLimits(event, JSON.stringify(event));
 */
export function assertEventLimits(event: PregonEvent, text: string): void {
  for (const [name, maxBytes] of SIZED) {
    const value = event[name];
    // A UTF-16 unit takes at most three bytes of UTF-8, so most values need no exact measurement.
    if (value === undefined || value.length * 3 <= maxBytes) continue;
    const bytes = utf8Length(value);
    if (bytes > maxBytes) throw invalid(`${name} has ${bytes} bytes of UTF-8; the limit is ${maxBytes}`);
  }
  assertExchange(event.exchange);
  assertDepth(text);
}

/**
 * RabbitMQ drops line breaks from exchange names, and UTF-8 cannot encode lone surrogates: the broker would route the
 * event to another exchange.
 */
function assertExchange(exchange: string): void {
  if (!PLAIN_NAME.test(exchange) && BAD_CHARACTERS.test(exchange)) {
    throw invalid(`exchange has a control character or a lone surrogate: ${JSON.stringify(exchange.slice(0, 80))}`);
  }
  if (exchange.startsWith(RESERVED_PREFIX) && !PREDEFINED.includes(exchange)) {
    throw invalid(`exchange ${JSON.stringify(exchange)} is not allowed: AMQP reserves names that begin with "amq."`);
  }
}

/** Each level needs an opening and a closing bracket, so a short text cannot exceed the limit and is not scanned. */
function assertDepth(text: string): void {
  if (text.length <= 2 * EVENT_LIMITS.depth) return;
  try {
    assertJsonShape(text, { maxDepth: EVENT_LIMITS.depth, maxValues: Number.POSITIVE_INFINITY });
  } catch (cause) {
    throw new PregonError('EVENT_INVALID', `the event is nested more than ${EVENT_LIMITS.depth} levels deep`, {
      cause,
    });
  }
}

/**
 * Checks a limit for the size of events, in bytes.
 *
 * @throws RangeError if it is not an integer from 1 to {@link EVENT_LIMITS}`.maxEventBytes`
 * @example
 * assertMaxEventBytes(1_048_576);
 */
export function assertMaxEventBytes(maxEventBytes: number): void {
  if (!Number.isSafeInteger(maxEventBytes) || maxEventBytes < 1 || maxEventBytes > EVENT_LIMITS.maxEventBytes) {
    throw new RangeError(`maxEventBytes must be an integer from 1 to ${EVENT_LIMITS.maxEventBytes}`);
  }
}

function invalid(message: string): PregonError {
  return new PregonError('EVENT_INVALID', message);
}
