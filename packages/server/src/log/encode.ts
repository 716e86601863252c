import { assertEvent, decodeSequence, fingerprint, PregonError, type PregonEvent } from '@pregon/protocol';

/** An event made ready for a log: what is stored of it, before it has an offset. */
export interface EncodedEvent {
  readonly exchange: string;
  readonly topic: string;
  readonly type: string;
  readonly source: string;
  readonly id: string;
  readonly sequence: number | undefined;
  readonly fingerprint: number;
  /** Compact JSON in UTF-8, without `position`. */
  readonly payload: Uint8Array;
}

/**
 * Encodes an event once, for the log and for everybody who gets it.
 *
 * @throws PregonError EVENT_INVALID | EVENT_TOO_LARGE
 */
export function encodeEvent(event: PregonEvent, maxEventBytes: number): EncodedEvent {
  assertEvent(event);
  const payload = Buffer.from(toJson(event));
  if (payload.length > maxEventBytes) {
    throw new PregonError(
      'EVENT_TOO_LARGE',
      `event ${JSON.stringify(event.id)} has ${payload.length} bytes; at most ${maxEventBytes} are taken`,
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
  };
}

function toJson(event: PregonEvent): string {
  try {
    if (event.position === undefined) return JSON.stringify(event);
    const { position: _, ...stored } = event;
    return JSON.stringify(stored);
  } catch (cause) {
    throw new PregonError('EVENT_INVALID', `event ${JSON.stringify(event.id)} cannot be written as JSON`, { cause });
  }
}
