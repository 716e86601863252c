import { decodeSequence, fingerprint } from '@pregon/protocol';
import { attributesOf } from './attributes.js';
import type { EncodedEvent } from './encode.js';

/**
 * What {@link encodeForAppend} made of an event, from its payload alone: for a log that keeps nothing else, when it is opened.
 *
 * @throws SyntaxError | TypeError | PregonError if the bytes are no event
 */
export function decodeStored(payload: Uint8Array): EncodedEvent {
  const event: unknown = JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString());
  if (typeof event !== 'object' || event === null) throw new TypeError('the payload is no event');
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
