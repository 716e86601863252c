import { constants, deflateRawSync } from 'node:zlib';

/**
 * How far back a compressed message refers, as a power of two: 4 KiB. Every client that takes messages without context can be served
 * by one compressor then, those too that keep no more than that (https://www.rfc-editor.org/rfc/rfc7692#section-7.1.2.1); events of a
 * few KiB are as small as with the 32 KiB that are usual, and compressed in half the time.
 */
export const WINDOW_BITS = 12;

export const WINDOW_BYTES = 1 << WINDOW_BITS;

/** What a sync flush ends with, and what a message leaves out (RFC 7692 section 7.2.1). */
export const TRAILER = Buffer.from([0x00, 0x00, 0xff, 0xff]);

const OPTIONS = {
  windowBits: WINDOW_BITS,
  // A hash table for 4 KiB: clearing the usual one would cost more than compressing an event.
  memLevel: 5,
  finishFlush: constants.Z_SYNC_FLUSH,
};

/**
 * The payload of a compressed message.
 *
 * @param remembered the end of what was sent compressed before it, which the client's inflater holds still; without it, the message needs
 *   none before it
 */
export function deflateMessage(text: Uint8Array, remembered?: Uint8Array): Buffer {
  const flushed = deflateRawSync(text, remembered?.length ? { ...OPTIONS, dictionary: remembered } : OPTIONS);
  return flushed.subarray(0, flushed.length - TRAILER.length);
}
