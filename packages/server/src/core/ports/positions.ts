import type { LogPoint } from '@pregon/protocol';

/**
 * Encodes points of a log as the positions that clients hold, and decodes them. Guarantees:
 *
 * - **Deterministic.** A point has the same text on every gateway and transport with the same key.
 * - **Confidential.** Without the key, a text reveals nothing about the event, and a guess of the event cannot be
 *   checked.
 * - **A foreign position is not an error.** A text of another key, or of an outdated form, decodes to `undefined`: the
 *   client gets a `reset`, and can reconnect.
 */
export interface PositionCodec {
  encode(point: LogPoint): string;
  /** Encodes many points at once, at a small part of the cost of encoding them one by one. */
  encodeAll(points: readonly LogPoint[]): string[];
  /** @throws PregonError POSITION_INVALID if the text is malformed */
  decode(position: string): LogPoint | undefined;
}
