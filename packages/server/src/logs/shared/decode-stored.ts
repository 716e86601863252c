import { decodeSequence, fingerprint } from '@pregon/protocol';
import { attributesOf } from './attributes.js';
import type { EncodedEvent } from './encode.js';

/**
 * Restores the result of {@link encodeForAppend} from the payload alone, for a log that stores nothing else.
 *
 * @throws SyntaxError | TypeError | PregonError if the bytes are not an event
 * @example
 * const { topic, sequence } = decodeStored(Buffer.from(line));
 */
export function decodeStored(payload: Uint8Array): EncodedEvent {
  const event: unknown = JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString());
  if (typeof event !== 'object' || event === null) throw new TypeError('the payload is not an event');
  const sequence = Object.hasOwn(event, 'sequence') ? textOf(event, 'sequence') : undefined;
  return {
    exchange: textOf(event, 'exchange'),
    topic: textOf(event, 'topic'),
    type: textOf(event, 'type'),
    source: textOf(event, 'source'),
    id: textOf(event, 'id'),
    sequence: sequence === undefined ? undefined : decodeSequence(sequence),
    fingerprint: fingerprint(payload),
    payload,
    attributes: attributesOf(event),
  };
}

function textOf(event: object, name: string): string {
  const text: unknown = Object.hasOwn(event, name) ? Reflect.get(event, name) : undefined;
  if (typeof text !== 'string') throw new TypeError(`the event has no ${name}`);
  return text;
}
