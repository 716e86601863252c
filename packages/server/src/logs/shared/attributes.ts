import type { EventAttributes } from '../../core/ports/stored-entry.js';

const NONE = '[]';

/** Reads the attributes of an event, or of any other object. A value that is not a string counts as absent. */
export function attributesOf(event: object): EventAttributes {
  return {
    time: memberOf(event, 'time'),
    subject: memberOf(event, 'subject'),
    traceparent: memberOf(event, 'traceparent'),
  };
}

/**
 * Encodes all attributes in one text, `["2026-01-02T03:04:05Z","user/42"]`. It is JSON because JSON can represent every
 * string. It has no names, because they would be a tenth of a row. Later releases may append elements, which this
 * release ignores.
 */
export function encodeAttributes({ time, subject, traceparent }: EventAttributes): string {
  if (traceparent !== undefined) return JSON.stringify([time, subject, traceparent]);
  if (subject !== undefined) return JSON.stringify([time, subject]);
  return time === undefined ? NONE : JSON.stringify([time]);
}

export function hasAttributes(encoded: string): boolean {
  return encoded !== NONE;
}

/** @param text the result of {@link encodeAttributes}; any other text yields no attributes */
export function decodeAttributes(text: string): EventAttributes {
  const list = parse(text);
  const [time, subject, traceparent]: unknown[] = Array.isArray(list) ? list : [];
  return { time: textOf(time), subject: textOf(subject), traceparent: textOf(traceparent) };
}

/** Reads the attributes of an entry of format 1, which has them only in its payload. */
export function attributesInPayload(payload: Uint8Array): EventAttributes {
  const event = parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString());
  return attributesOf(typeof event === 'object' && event !== null ? event : {});
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function memberOf(value: object, name: string): string | undefined {
  return Object.hasOwn(value, name) ? textOf(Reflect.get(value, name)) : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
