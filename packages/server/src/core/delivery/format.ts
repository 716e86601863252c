import type { LoggedEvent } from './logged-event.js';

/** How a transport frames an event. The text inside is the same for all. */
export interface Format {
  /** Exactly as many bytes as {@link Format.write} writes. */
  size(event: LoggedEvent): number;
  /** Writes the framed event, and returns where it ends. */
  write(event: LoggedEvent, target: Buffer, at: number): number;
  /**
   * All events of a chunk as one, where the format has that; undefined where they had better go one by one.
   *
   * @param takers about how many connections get the chunk
   */
  together?(events: readonly LoggedEvent[], takers: number): Buffer | undefined;
}
