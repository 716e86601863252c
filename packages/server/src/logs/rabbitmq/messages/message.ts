import { isUtf8 } from 'node:buffer';
import { fingerprint, messageOf, PregonError, RESERVED_EXCHANGE } from '@pregon/protocol';
import { attributesOf, encodeAttributes, hasAttributes } from '../../shared/attributes.js';
import type { EncodedEvent } from '../../shared/encode.js';
import type { ConsumeMessage, Options } from '../connection/amqp.js';
import { toForeignEvent } from './foreign.js';
import type { StreamEntry } from './stream-entry.js';

/** A message to publish. */
export interface Outgoing {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Buffer;
  readonly options: Options.Publish;
}

/**
 * The header of messages that this driver publishes: `id`, `source`, `type` and `sequence` as JSON, so that the body
 * can be delivered unchanged. It is one header because the broker's cost grows with their number. It is JSON because
 * UTF-8 cannot encode lone surrogates.
 */
const EVENT_HEADER = 'pregon';
/**
 * Added in format 2: `time`, `subject` and `traceparent`, for consumers that do not parse the body. It is a second
 * header, so that releases of format 1 can still read the first. Readers of this package take the attributes from the
 * body, which they parse anyway (see {@link readOwnBody}), so messages of format 1 and of other producers have them as
 * well.
 */
const ATTRIBUTES_HEADER = 'pregon-attributes';
const FENCE_HEADER = 'pregon-fence';

const CONTENT_TYPE = 'application/cloudevents+json';
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/** Headers must fit into one frame and into the library's buffer, with a margin. */
const HEADER_BYTES = 16_384;
const ATTRIBUTES_BYTES = 8_192;
/** The maximum size of an AMQP short string, in bytes. */
const SHORT_BYTES = 255;

/** @param stream the stream of the log */
export function toMessage(event: EncodedEvent, stream: string): Outgoing {
  const { payload, id, source, type, sequence } = event;
  const names = JSON.stringify([id, source, type, ...(sequence === undefined ? [] : [sequence])]);
  return {
    ...routeOf(event, stream),
    body: Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength),
    options: {
      persistent: true,
      contentType: CONTENT_TYPE,
      // For other consumers of the exchange; this driver reads the header instead.
      ...(Buffer.byteLength(id) <= SHORT_BYTES ? { messageId: id } : {}),
      ...(Buffer.byteLength(type) <= SHORT_BYTES ? { type } : {}),
      // Without the header, readers treat the event as one of another producer and parse it.
      ...(Buffer.byteLength(names) <= HEADER_BYTES
        ? { headers: { [EVENT_HEADER]: names, ...attributesHeader(event) } }
        : {}),
    },
  };
}

/**
 * Events of the reserved exchange go straight to the stream: no exchange on the broker has that name, so no other
 * producer can publish to it, and no other queue gets them.
 */
function routeOf(
  { exchange, topic }: Pick<EncodedEvent, 'exchange' | 'topic'>,
  stream: string,
): Pick<Outgoing, 'exchange' | 'routingKey'> {
  return exchange === RESERVED_EXCHANGE ? { exchange: '', routingKey: stream } : { exchange, routingKey: topic };
}

/** Attributes that are too long for the header are only in the body. */
function attributesHeader({ attributes }: EncodedEvent): Record<string, string> {
  const text = encodeAttributes(attributes);
  return !hasAttributes(text) || Buffer.byteLength(text) > ATTRIBUTES_BYTES ? {} : { [ATTRIBUTES_HEADER]: text };
}

/** A fence goes straight to the queue, so that no other queue gets it. */
export function toFence(stream: string, id: string): Outgoing {
  return {
    exchange: '',
    routingKey: stream,
    body: Buffer.from(id),
    options: { persistent: true, headers: { [FENCE_HEADER]: id } },
  };
}

/**
 * Returns a key that is equal for two events only if their source and id are. No combination of texts can imitate
 * another one.
 */
export function toKey(source: string, id: string): string {
  return `${source.length}:${source}${id}`;
}

export interface DecodeOptions {
  readonly stream: string;
  readonly maxEventBytes: number;
}

/** Reads a delivery from the stream. The result is the same on every gateway. */
export function toStreamEntry(message: ConsumeMessage, options: DecodeOptions): StreamEntry {
  const { content, fields } = message;
  const offset = offsetOf(message);
  const fence: unknown = message.properties.headers?.[FENCE_HEADER];
  if (typeof fence === 'string' && fields.exchange === '') {
    return { kind: 'fence', offset, fingerprint: fingerprint(content), id: fence };
  }
  try {
    if (fields.exchange === RESERVED_EXCHANGE) throw new TypeError(`the exchange ${RESERVED_EXCHANGE} is reserved`);
    return toOwnEntry(message, offset, options) ?? toForeignEntry(message, offset, options);
  } catch (error) {
    const reason = messageOf(error);
    return { kind: 'poison', offset, fingerprint: fingerprint(content), reason };
  }
}

export function offsetOf({ properties }: ConsumeMessage): number {
  const offset: unknown = properties.headers?.['x-stream-offset'];
  if (typeof offset !== 'number') throw new TypeError('the queue is not a stream: a message has no x-stream-offset');
  return offset + 1;
}

/** Returns false if a message of this driver is certainly another event, without the cost of reading it. */
export function mayHaveId({ properties }: ConsumeMessage, id: string): boolean {
  const header: unknown = properties.headers?.[EVENT_HEADER];
  return typeof header !== 'string' || header.startsWith(`[${JSON.stringify(id)},`);
}

function toOwnEntry(message: ConsumeMessage, offset: number, options: DecodeOptions): StreamEntry | undefined {
  const { content, fields, properties } = message;
  const header: unknown = properties.headers?.[EVENT_HEADER];
  if (typeof header !== 'string') return undefined;
  const attributes: unknown = JSON.parse(header);
  if (!isAttributes(attributes)) return undefined;
  const [id, source, type, sequence] = attributes;
  const body = readOwnBody(content, options.maxEventBytes);
  if (body['id'] !== id || body['source'] !== source || body['type'] !== type) {
    throw new TypeError('its header and its body name different events');
  }
  // The message was moved here from another exchange, so it is read as a foreign message.
  const { exchange, topic } = body;
  if (typeof exchange !== 'string' || typeof topic !== 'string') return undefined;
  const sent = routeOf({ exchange, topic }, options.stream);
  if (sent.routingKey !== fields.routingKey || sent.exchange !== fields.exchange) return undefined;
  // Another program reformatted the body; in an event stream (SSE), an empty line would end the event.
  if (content.includes(LINE_FEED) || content.includes(CARRIAGE_RETURN)) return undefined;
  // A copy, because the content is a slice of a larger receive buffer and would keep it in memory.
  const payload = Buffer.from(content);
  const point = { offset, fingerprint: fingerprint(payload) };
  const event = { ...point, exchange, topic, type, source, sequence, payload };
  return { kind: 'event', ...point, event, key: toKey(source, id), id, attributes: attributesOf(body) };
}

/**
 * Reads and checks the body of an own message. Anyone who may publish to the exchange can forge the header, or forward
 * a corrupted body; an invalid body would reach every client, again on each resume. So the body is parsed, although its
 * bytes are delivered unchanged. That costs about 2 µs for an event of 350 bytes, a seventh of reading it.
 */
function readOwnBody(content: Buffer, maxEventBytes: number): Readonly<Record<string, unknown>> {
  if (content.length > maxEventBytes) {
    throw new PregonError('EVENT_TOO_LARGE', `it has ${content.length} bytes; the limit is ${maxEventBytes}`);
  }
  // The position replaces the last byte later. Text in another encoding would make clients close their connections.
  const isFramed = content[0] === OPENING_BRACE && content.at(-1) === CLOSING_BRACE && isUtf8(content);
  const body: unknown = isFramed ? JSON.parse(content.toString('utf8')) : undefined;
  if (!isEvent(body)) throw new TypeError('its body is not an event');
  return body;
}

function isEvent(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && 'specversion' in value && value.specversion === '1.0';
}

type Attributes = readonly [id: string, source: string, type: string, sequence?: number];

function isAttributes(value: unknown): value is Attributes {
  if (!Array.isArray(value)) return false;
  const [id, source, type, sequence] = value;
  const texts = [id, source, type].every((text) => typeof text === 'string');
  return texts && (sequence === undefined || Number.isSafeInteger(sequence));
}

function toForeignEntry(message: ConsumeMessage, offset: number, options: DecodeOptions): StreamEntry {
  const { id, attributes, ...event } = toForeignEvent(message, { ...options, offset });
  const point = { offset, fingerprint: event.fingerprint };
  return { kind: 'event', ...point, event: { ...event, offset }, key: toKey(event.source, id), id, attributes };
}
