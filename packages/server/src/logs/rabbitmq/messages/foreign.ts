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

/** The type of a message that has no type property, and no routing key that could stand for one. */
const UNTYPED = 'Message';

/**
 * An event from a message that a program published which knows nothing of Pregon. A CloudEvent, in structured or binary mode, is
 * taken as it is. Anything else is wrapped: type from the property `type`, else the routing key; `data` from the body; `time` from
 * the property `timestamp`; `source` from `app_id`, else `/<exchange>`; `id` from `message_id`, else `<stream>-<offset>`. Exchange
 * and topic are always those of the delivery; where the routing key is empty, the event's own topic, else the exchange.
 *
 * A pure function of the message and its offset, so that every gateway makes the same event of it.
 *
 * @throws PregonError EVENT_INVALID | EVENT_TOO_LARGE where it cannot be made an event
 */
export function toForeignEvent(message: ConsumeMessage, options: ForeignOptions): EncodedEvent {
  const { fields, content } = message;
  if (fields.exchange === '') throw invalid('it came through no exchange');
  if (content.length > options.maxEventBytes) {
    throw new PregonError(
      'EVENT_TOO_LARGE',
      `it has ${content.length} bytes; at most ${options.maxEventBytes} are taken`,
    );
  }
  assertDecoded('its routing key', fields.routingKey);
  const attributes = readStructuredMode(message) ?? readBinaryMode(message) ?? wrap(message, options);
  const event = { ...attributes, topic: topicOf(message, attributes), exchange: fields.exchange };
  return encodeEvent(toEvent(event), options.maxEventBytes);
}

/** What is missing or wrong is told by `encodeEvent`, which takes it apart. */
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
    throw invalid(`its routing key is no topic: ${JSON.stringify(fields.routingKey.slice(0, 80))}`);
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

/** AMQP counts in seconds since 1970. */
function timeOf(timestamp: unknown): { time?: string } {
  const time = typeof timestamp === 'number' ? new Date(timestamp * 1_000) : undefined;
  return time && !Number.isNaN(time.getTime()) ? { time: time.toISOString() } : {};
}

function invalid(message: string): PregonError {
  return new PregonError('EVENT_INVALID', message);
}
