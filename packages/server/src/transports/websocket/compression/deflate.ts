import { constants, deflateRawSync } from 'node:zlib';

/**
 * How far back a compressed message refers, as a power of two: 4 KiB. One compressor then serves all clients that take
 * messages without context, including those that keep no more than that
 * (https://www.rfc-editor.org/rfc/rfc7692#section-7.1.2.1). Events of a few KiB get as small as with the usual 32 KiB,
 * in half the time.
 */
export const WINDOW_BITS = 12;

export const WINDOW_BYTES = 1 << WINDOW_BITS;

/** The end of a sync flush, which a message omits (RFC 7692 section 7.2.1). */
export const TRAILER = Buffer.from([0x00, 0x00, 0xff, 0xff]);

const OPTIONS = {
  windowBits: WINDOW_BITS,
  // A hash table for 4 KiB: clearing the usual one would cost more than compressing an event.
  memLevel: 5,
  finishFlush: constants.Z_SYNC_FLUSH,
};

/**
 * Compresses the payload of a message.
 *
 * @param remembered the end of the earlier compressed messages, which the client's inflater still holds; without it,
 *   the message refers to no earlier one
 */
export function deflateMessage(text: Uint8Array, remembered?: Uint8Array): Buffer {
  const flushed = deflateRawSync(text, remembered?.length ? { ...OPTIONS, dictionary: remembered } : OPTIONS);
  return flushed.subarray(0, flushed.length - TRAILER.length);
}
