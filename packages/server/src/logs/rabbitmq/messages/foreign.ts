import { isTopic, PregonError, type PregonEvent } from '@pregon/protocol';
import { type EncodedEvent, encodeEvent } from '../../shared/encode.js';
import type { ConsumeMessage } from '../connection/amqp.js';
import { type Attributes, assertDecoded, readBinaryMode, readStructuredMode } from './cloudevents.js';
import { readBody } from './foreign-body.js';

export interface ForeignOptions {
  readonly stream: string;
  readonly offset: number;
  readonly maxEventBytes: number;
}

/** The type of a message without a type property and without a routing key. */
const UNTYPED = 'Message';

/**
 * Makes an event from a message of a program that does not know Pregon. A CloudEvent, in structured or binary mode, is
 * used unchanged. Any other message is wrapped:
 *
 * - `type` is the property `type`, otherwise the routing key;
 * - `data` is the body;
 * - `time` is the property `timestamp`;
 * - `source` is `app_id`, otherwise `/<exchange>`;
 * - `id` is `message_id`, otherwise `<stream>-<offset>`.
 *
 * The exchange is always that of the delivery, and so is the topic. If the routing key is empty, the topic is that of
 * the CloudEvent, otherwise the exchange.
 *
 * A pure function of the message and its offset, so every gateway makes the same event from it.
 *
 * @throws PregonError EVENT_INVALID | EVENT_TOO_LARGE if no event can be made from it
 */
export function toForeignEvent(message: ConsumeMessage, options: ForeignOptions): EncodedEvent {
  const { fields, content } = message;
  if (fields.exchange === '') throw invalid('it was not published to an exchange');
  if (content.length > options.maxEventBytes) {
    throw new PregonError('EVENT_TOO_LARGE', `it has ${content.length} bytes; the limit is ${options.maxEventBytes}`);
  }
  assertDecoded('its routing key', fields.routingKey);
  const attributes = readStructuredMode(message) ?? readBinaryMode(message) ?? wrap(message, options);
  const event = { ...attributes, topic: topicOf(message, attributes), exchange: fields.exchange };
  return encodeEvent(toEvent(event), options.maxEventBytes);
}

/** `encodeEvent` reports missing or invalid attributes, so this only checks their types. */
function toEvent(attributes: Attributes & Pick<PregonEvent, 'topic' | 'exchange'>): PregonEvent {
  const { id, source, type, specversion } = attributes;
  if (specversion !== '1.0') throw invalid('specversion must be "1.0"');
  return { ...attributes, specversion, id: text('id', id), source: text('source', source), type: text('type', type) };
}

function text(name: string, value: unknown): string {
  if (typeof value !== 'string') throw invalid(`${name} must be a non-empty string`);
  return value;
}

function topicOf({ fields }: ConsumeMessage, { topic }: Attributes): string {
  if (fields.routingKey !== '') {
    if (isTopic(fields.routingKey)) return fields.routingKey;
    throw invalid(`its routing key is not a topic: ${JSON.stringify(fields.routingKey.slice(0, 80))}`);
  }
  return typeof topic === 'string' ? topic : fields.exchange;
}

function wrap({ properties, fields, content }: ConsumeMessage, { stream, offset }: ForeignOptions): Attributes {
  return {
    specversion: '1.0',
    id: nonEmpty(properties.messageId) ?? `${stream}-${offset}`,
    source: nonEmpty(properties.appId) ?? `/${encodeURIComponent(fields.exchange)}`,
    type: nonEmpty(properties.type) ?? nonEmpty(fields.routingKey) ?? UNTYPED,
    ...timeOf(properties.timestamp),
    ...readBody(content, nonEmpty(properties.contentType)),
  };
}

function nonEmpty(value: unknown): string | undefined {
  if (typeof value === 'string') assertDecoded('a property', value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** AMQP timestamps are in seconds since 1970. */
function timeOf(timestamp: unknown): { time?: string } {
  const time = typeof timestamp === 'number' ? new Date(timestamp * 1_000) : undefined;
  return time && !Number.isNaN(time.getTime()) ? { time: time.toISOString() } : {};
}

function invalid(message: string): PregonError {
  return new PregonError('EVENT_INVALID', message);
}
