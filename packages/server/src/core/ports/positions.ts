import type { LogPoint } from '@pregon/protocol';

/**
 * Turns points of a log into the text that clients hold, and back. Guarantees:
 *
 * - **Equal.** One point has one text, on every gateway and transport that shares the key.
 * - **Silent.** Without the key, a text tells nothing about the event, and cannot be made for a guess of it.
 * - **Foreign is no error.** The text of another key, or of a form that is no longer written, decodes to `undefined`: its holder is told
 *   `reset`, and can come back.
 */
export interface PositionCodec {
  encode(point: LogPoint): string;
  /** The same for many, at a small part of the cost of one by one. */
  encodeAll(points: readonly LogPoint[]): string[];
  /** @throws PregonError POSITION_INVALID if the text is garbled */
  decode(position: string): LogPoint | undefined;
}
