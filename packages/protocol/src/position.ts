import { PregonError } from './errors.js';

/**
 * A point of a log: an offset and the fingerprint of the event at that offset. An offset alone names some event in any
 * log. With the fingerprint, a log that was truncated, replaced or recreated is detected on resume.
 */
export interface LogPoint {
  /** An integer from 0 to 2^53 − 1, strictly increasing in one log, not dense. */
  readonly offset: number;
  /** An integer from 0 to 2^53 − 1, see {@link fingerprint}. */
  readonly fingerprint: number;
}

/** The number of hexadecimal digits of the encrypted block in a position: 16 bytes. */
const BLOCK_DIGITS = 32;
const BLOCK_SHAPE = /^([0-9a-f]{32})([0-9a-z]{3})$/;

const FINGERPRINT_DIGITS = 11;
const CHECK_DIGITS = 3;

/** The length of every position that a gateway makes, in characters. */
export const POSITION_LENGTH = BLOCK_DIGITS + CHECK_DIGITS;
const LOW_DIGITS = 5;
const LOW_RANGE = 36 ** LOW_DIGITS;
const SHAPE = /^([0-9a-z]{1,11})\.([0-9a-z]{11})([0-9a-z]{3})$/;

/**
 * Makes a position, the text that clients hold for a point of a log: 32 hexadecimal digits that a gateway encrypted,
 * and 3 check digits in base 36. Clients store it and send it back; they cannot read it. Without the key, it reveals
 * nothing about the event that it names. The check digits are not secret. They distinguish a garbled position, which is
 * an error, from a position of another log or key, which is answered with `reset`.
 *
 * @param block 32 hexadecimal digits in lower case
 * @example
 * positionOfBlock('00112233445566778899aabbccddeeff'); // the block and its 3 check digits
 * @see docs/reference/protocol.md#positions
 */
export function positionOfBlock(block: string): string {
  return block + checkDigits(block);
}

/**
 * Returns the encrypted block of a position.
 *
 * @returns 32 hexadecimal digits, or undefined for a position in the form of release 0.1, which gateways cannot verify
 * @throws PregonError POSITION_INVALID if the text is not a position
 * @example
 * const block = blockOfPosition(event.position);
 */
export function blockOfPosition(position: string): string | undefined {
  const [, block, check] = BLOCK_SHAPE.exec(position) ?? [];
  if (block?.length === BLOCK_DIGITS && checkDigits(block) === check) return block;
  decodePosition(position);
  return undefined;
}

/**
 * Checks that the text has the form of a position, of any log.
 *
 * @throws PregonError POSITION_INVALID if it has not
 * @example
 * assertPosition(event.position);
 */
export function assertPosition(position: string): void {
  blockOfPosition(position);
}

/**
 * Makes a position in the form of release 0.1: `<offset>.<fingerprint><check>`, base 36. This form contains an unkeyed
 * hash of the event, so gateways answer it with `reset`. The function exists for programs that hold positions of that
 * release.
 *
 * @example
 * encodePosition({ offset: 42, fingerprint: 7 }); // '16.00000000007' and 3 check digits
 */
export function encodePosition(point: LogPoint): string {
  const body = `${point.offset.toString(36)}.${encodeFingerprint(point.fingerprint)}`;
  return body + checkDigits(body);
}

/**
 * Writes two halves that fit in 32 bits each: V8 formats larger numbers seven times slower, and this runs for each
 * event.
 */
function encodeFingerprint(fingerprint: number): string {
  const high = Math.floor(fingerprint / LOW_RANGE).toString(36);
  const low = (fingerprint % LOW_RANGE).toString(36);
  return high.padStart(FINGERPRINT_DIGITS - LOW_DIGITS, '0') + low.padStart(LOW_DIGITS, '0');
}

/**
 * Reads a position in the form of release 0.1, see {@link encodePosition}.
 *
 * @throws PregonError POSITION_INVALID if {@link encodePosition} did not make the text
 * @example
 * decodePosition(encodePosition({ offset: 42, fingerprint: 7 })); // { offset: 42, fingerprint: 7 }
 */
export function decodePosition(position: string): LogPoint {
  const match = SHAPE.exec(position);
  if (match) {
    const [, offsetDigits = '', fingerprintDigits = '', check] = match;
    const point = { offset: Number.parseInt(offsetDigits, 36), fingerprint: Number.parseInt(fingerprintDigits, 36) };
    const canonical = Number.isSafeInteger(point.offset) && point.offset.toString(36) === offsetDigits;
    if (
      canonical &&
      Number.isSafeInteger(point.fingerprint) &&
      checkDigits(`${offsetDigits}.${fingerprintDigits}`) === check
    ) {
      return point;
    }
  }
  throw new PregonError('POSITION_INVALID', `not a position: ${JSON.stringify(position.slice(0, 40))}`);
}

function checkDigits(body: string): string {
  let sum = 0x1505;
  for (let i = 0; i < body.length; i++) sum = Math.imul(sum, 33) ^ body.charCodeAt(i);
  return ((sum >>> 0) % 36 ** CHECK_DIGITS).toString(36).padStart(CHECK_DIGITS, '0');
}

/**
 * Computes a 53-bit hash of bytes, with two lanes of multiply-and-rotate over 32-bit words. Two different events have
 * the same fingerprint with a probability of 1 in 2^53. The hash does not resist deliberate collisions: a client that
 * forges one only harms the resume of its own connection.
 *
 * @returns an integer from 0 to 2^53 − 1
 * @example
 * fingerprint(new TextEncoder().encode('{"specversion":"1.0"}'));
 */
export function fingerprint(bytes: Uint8Array): number {
  let a = 0x9e3779b9 ^ bytes.length;
  let b = 0x85ebca6b;
  const whole = bytes.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    const word =
      byteAt(bytes, i) | (byteAt(bytes, i + 1) << 8) | (byteAt(bytes, i + 2) << 16) | (byteAt(bytes, i + 3) << 24);
    a = Math.imul(a ^ word, 0x2c1b3c6d);
    a = (a << 13) | (a >>> 19);
    b = Math.imul(b ^ word, 0x297a2d39);
    b = (b << 17) | (b >>> 15);
  }
  for (let i = whole; i < bytes.length; i++) {
    a = Math.imul(a ^ byteAt(bytes, i), 0x2c1b3c6d);
    b = Math.imul(b ^ byteAt(bytes, i), 0x297a2d39);
  }
  return (mix(a ^ (b >>> 3)) >>> 11) * 0x100000000 + mix(b ^ (a >>> 5));
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}

function mix(lane: number): number {
  let h = lane;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
