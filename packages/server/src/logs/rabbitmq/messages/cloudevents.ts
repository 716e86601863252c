import { PregonError } from '@pregon/protocol';
import { readJsonObject } from '../../../core/json-input.js';
import type { ConsumeMessage } from '../connection/amqp.js';
import { readBody } from './foreign-body.js';

/** The unchecked attributes and data of an event. */
export type Attributes = Readonly<Record<string, unknown>>;

/**
 * Both prefixes of the binary mode in the AMQP binding: the original colon, and the underscore for clients that do not
 * allow colons.
 */
const HEADER = /^cloudEvents[:_]([a-z0-9]+)$/;

/**
 * Reads a CloudEvent that is the whole body.
 *
 * @throws PregonError EVENT_INVALID
 * @see
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/amqp-protocol-binding.md#32-structured-content-mode
 */
export function readStructuredMode({ properties, content }: ConsumeMessage): Attributes | undefined {
  const contentType: unknown = properties.contentType;
  if (typeof contentType !== 'string' || !/^application\/cloudevents/i.test(contentType)) return undefined;
  if (!/^application\/cloudevents\+json\s*(;|$)/i.test(contentType)) {
    throw invalid(`CloudEvents of the content type ${JSON.stringify(contentType.slice(0, 80))} are not supported`);
  }
  try {
    return readJsonObject(content, 'its content type is that of a CloudEvent but the body');
  } catch (cause) {
    // The parser's own message would quote the body, which may be long.
    if (!(cause instanceof PregonError && cause.cause instanceof SyntaxError)) throw cause;
    throw new PregonError('EVENT_INVALID', 'its content type is that of a CloudEvent but the body is not JSON', {
      cause,
    });
  }
}

/**
 * Reads a CloudEvent whose attributes are headers and whose data is the body.
 *
 * @see
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/amqp-protocol-binding.md#31-binary-content-mode
 */
export function readBinaryMode({ properties, content }: ConsumeMessage): Attributes | undefined {
  const attributes: Record<string, unknown> = {};
  for (const [header, value] of Object.entries<unknown>(properties.headers ?? {})) {
    const [, name] = HEADER.exec(header) ?? [];
    if (name === undefined) continue;
    if (typeof value === 'string') assertDecoded(`the header ${header}`, value);
    attributes[name] = toAttribute(value);
  }
  if (attributes['specversion'] === undefined) return undefined;
  const contentType: unknown = properties.contentType;
  return { ...attributes, ...readBody(content, typeof contentType === 'string' ? contentType : undefined) };
}

/**
 * Converts the value of a header to JSON: timestamps, which the library marks with `!`, become RFC 3339, and bytes
 * become base64.
 */
function toAttribute(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('base64');
  if (isRecord(value) && value['!'] === 'timestamp' && typeof value['value'] === 'number') {
    return new Date(value['value'] * 1_000).toISOString();
  }
  return value;
}

/**
 * Refuses text that was not UTF-8. The library replaces bytes that are not UTF-8 by U+FFFD, so two different ids could
 * become equal.
 *
 * @throws PregonError EVENT_INVALID
 */
export function assertDecoded(what: string, text: string): void {
  if (text.includes('\ufffd')) throw invalid(`${what} is not UTF-8`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(message: string): PregonError {
  return new PregonError('EVENT_INVALID', message);
}
