import {
  assertEvent,
  assertEventLimits,
  decodeSequence,
  fingerprint,
  PregonError,
  type PregonEvent,
  stringifyExactly,
} from '@pregon/protocol';
import type { EventAttributes } from '../../core/ports/stored-entry.js';
import { attributesOf } from './attributes.js';

/** An event encoded for a log: everything that is stored, except its offset. */
export interface EncodedEvent {
  readonly exchange: string;
  readonly topic: string;
  readonly type: string;
  readonly source: string;
  readonly id: string;
  readonly sequence: number | undefined;
  readonly fingerprint: number;
  /** Compact JSON in UTF-8, without `position`; a {@link JsonText} keeps its original text. */
  readonly payload: Uint8Array;
  readonly attributes: EventAttributes;
}

/**
 * Encodes events for an append, once for the log and all clients. It accepts only events that every log can hold.
 *
 * @param maxEventBytes the maximum size of one payload, in bytes
 * @throws PregonError EVENT_INVALID | EVENT_TOO_LARGE
 * @example
 * const encoded = encodeForAppend(events, DEFAULT_MAX_EVENT_BYTES);
 */
export function encodeForAppend(events: readonly PregonEvent[], maxEventBytes: number): EncodedEvent[] {
  return events.map((event) => encode(event, maxEventBytes, assertEventLimits));
}

/**
 * Encodes an event that is already in a log. Another program may have written it, so the limits are not checked.
 *
 * @throws PregonError EVENT_INVALID | EVENT_TOO_LARGE
 */
export function encodeEvent(event: PregonEvent, maxEventBytes: number): EncodedEvent {
  return encode(event, maxEventBytes, () => {});
}

function encode(
  event: PregonEvent,
  maxEventBytes: number,
  assertLimits: (event: PregonEvent, text: string) => void,
): EncodedEvent {
  assertEvent(event);
  const text = toJson(event);
  assertLimits(event, text);
  const payload = Buffer.from(text);
  if (payload.length > maxEventBytes) {
    throw new PregonError(
      'EVENT_TOO_LARGE',
      `event ${JSON.stringify(event.id)} has ${payload.length} bytes; the limit is ${maxEventBytes}`,
    );
  }
  return {
    exchange: event.exchange,
    topic: event.topic,
    type: event.type,
    source: event.source,
    id: event.id,
    sequence: event.sequence === undefined ? undefined : decodeSequence(event.sequence),
    fingerprint: fingerprint(payload),
    payload,
    attributes: attributesOf(event),
  };
}

function toJson(event: PregonEvent): string {
  try {
    if (event.position === undefined) return stringifyExactly(event);
    const { position: _, ...stored } = event;
    return stringifyExactly(stored);
  } catch (cause) {
    throw new PregonError('EVENT_INVALID', `event ${JSON.stringify(event.id)} cannot be written as JSON`, { cause });
  }
}
