import { PregonError } from './errors.js';
import type { PregonEvent } from './event.js';
import { assertJsonShape } from './json-shape.js';
import { MAX_TOPIC_BYTES } from './topics.js';
import { utf8Length } from './utf8-length.js';

/**
 * The limits of an event, the same for every log, so that an event that one log has taken can be relayed to any other. The strictest log sets
 * each limit: names are short strings of AMQP 0-9-1, and `id`, `source` and `type` travel in one header of a RabbitMQ message.
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
  /** Levels of arrays and objects in the event, itself included. */
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

/** Printable ASCII: one test for nearly all names. */
const PLAIN_NAME = /^[ -~]*$/;
const BAD_CHARACTERS = /[\p{Cc}\p{Cs}]/u;

/** AMQP reserves the prefix for the broker; these two are the predefined exchanges that route as events need it. */
const RESERVED_PREFIX = 'amq.';
const PREDEFINED = ['amq.topic', 'amq.fanout'];

/**
 * Refuses an event that some log cannot hold.
 *
 * @param event has passed {@link assertEvent}
 * @param text the event as JSON
 * @throws PregonError EVENT_INVALID: an attribute is too long, the exchange cannot be a name, or the event is nested too deeply
 */
export function assertEventLimits(event: PregonEvent, text: string): void {
  for (const [name, maxBytes] of SIZED) {
    const value = event[name];
    // A UTF-16 unit takes at most three bytes: most values need not be measured.
    if (value === undefined || value.length * 3 <= maxBytes) continue;
    const bytes = utf8Length(value);
    if (bytes > maxBytes) throw invalid(`${name} has ${bytes} bytes of UTF-8; at most ${maxBytes} are taken`);
  }
  assertExchange(event.exchange);
  assertDepth(text);
}

/** RabbitMQ drops line ends from the names of exchanges, and UTF-8 has no lone surrogates: the event would be published to another exchange. */
function assertExchange(exchange: string): void {
  if (!PLAIN_NAME.test(exchange) && BAD_CHARACTERS.test(exchange)) {
    throw invalid(`exchange has a control character or a lone surrogate: ${JSON.stringify(exchange.slice(0, 80))}`);
  }
  if (exchange.startsWith(RESERVED_PREFIX) && !PREDEFINED.includes(exchange)) {
    throw invalid(`exchange ${JSON.stringify(exchange)}: names that begin with "amq." are reserved by AMQP`);
  }
}

/** Each level takes an opening and a closing bracket, so a short text need not be scanned. */
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

/** @throws RangeError if it is not an integer from 1 to {@link EVENT_LIMITS}`.maxEventBytes` */
export function assertMaxEventBytes(maxEventBytes: number): void {
  if (!Number.isSafeInteger(maxEventBytes) || maxEventBytes < 1 || maxEventBytes > EVENT_LIMITS.maxEventBytes) {
    throw new RangeError(`maxEventBytes must be an integer from 1 to ${EVENT_LIMITS.maxEventBytes}`);
  }
}

function invalid(message: string): PregonError {
  return new PregonError('EVENT_INVALID', message);
}
