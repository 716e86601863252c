import { PregonError } from '@pregon/protocol';
import type { ConsumeMessage } from './amqp.js';
import { readBody } from './foreign-body.js';

/** Attributes of an event, and its data, before anybody has looked whether they are right. */
export type Attributes = Readonly<Record<string, unknown>>;

/** Both prefixes of the binding's binary mode: the colon of old, the underscore for clients that refuse colons. */
const HEADER = /^cloudEvents[:_]([a-z0-9]+)$/;

/**
 * A CloudEvent that is the whole body.
 *
 * @throws PregonError EVENT_INVALID
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/amqp-protocol-binding.md#32-structured-content-mode
 */
export function readStructuredMode({ properties, content }: ConsumeMessage): Attributes | undefined {
  const contentType: unknown = properties.contentType;
  if (typeof contentType !== 'string' || !/^application\/cloudevents/i.test(contentType)) return undefined;
  if (!/^application\/cloudevents\+json\s*(;|$)/i.test(contentType)) {
    throw invalid(`CloudEvents of the content type ${JSON.stringify(contentType.slice(0, 80))} are not read`);
  }
  let event: unknown;
  try {
    event = JSON.parse(content.toString('utf8'));
  } catch (cause) {
    throw invalid('it calls itself a CloudEvent but is not JSON', cause);
  }
  if (!isRecord(event)) throw invalid('it calls itself a CloudEvent but is no JSON object');
  return event;
}

/**
 * A CloudEvent whose attributes are headers and whose data is the body.
 *
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/amqp-protocol-binding.md#31-binary-content-mode
 */
export function readBinaryMode({ properties, content }: ConsumeMessage): Attributes | undefined {
  const attributes: Record<string, unknown> = {};
  for (const [header, value] of Object.entries<unknown>(properties.headers ?? {})) {
    const [, name] = HEADER.exec(header) ?? [];
    if (name !== undefined) attributes[name] = toAttribute(value);
  }
  if (attributes['specversion'] === undefined) return undefined;
  const contentType: unknown = properties.contentType;
  return { ...attributes, ...readBody(content, typeof contentType === 'string' ? contentType : undefined) };
}

/** A header's value as JSON knows it: timestamps, which the library marks with `!`, become RFC 3339, and bytes base64. */
function toAttribute(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('base64');
  if (isRecord(value) && value['!'] === 'timestamp' && typeof value['value'] === 'number') {
    return new Date(value['value'] * 1_000).toISOString();
  }
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(message: string, cause?: unknown): PregonError {
  return new PregonError('EVENT_INVALID', message, { cause });
}
