import { isDeepStrictEqual } from 'node:util';
import { PregonError, parseMembersExactly } from '@pregon/protocol';
import type { EncodedEvent } from './encode.js';

/**
 * Tells whether two payloads with the same `source` and `id` are one event that was sent twice. `sequence` and `time`
 * may differ: a producer may set a new time when it repeats an event, and a row that is put back into an outbox gets
 * the next sequence.
 *
 * @example
 * if (!isSameEvent(event.payload, stored)) throw new ReusedId(event);
 */
export function isSameEvent(one: Uint8Array, other: Uint8Array): boolean {
  if (Buffer.compare(one, other) === 0) return true;
  try {
    return isDeepStrictEqual(contentOf(one), contentOf(other));
  } catch {
    // Another program wrote one of them directly into the log, with a repeated member: it is undefined which of the two
    // values counts.
    return false;
  }
}

/**
 * Values that JavaScript cannot represent are compared as text: two numbers outside the range of a double are not
 * equal.
 */
function contentOf(payload: Uint8Array): object {
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString();
  return { ...parseMembersExactly(text), sequence: undefined, time: undefined };
}

/**
 * Another event has the same `source` and `id` as this one. Dropping this one as a repetition would lose it silently.
 */
export class ReusedId extends PregonError {
  readonly event: EncodedEvent;

  constructor(event: EncodedEvent) {
    super(
      'EVENT_ID_REUSED',
      `the log holds another event with the id ${shown(event.id)} of the source ${shown(event.source)}: give each event an id of its own`,
    );
    this.event = event;
  }
}

function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
