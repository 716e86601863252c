import { PregonError } from './errors.js';

/**
 * A point of a log: an offset, and the fingerprint of the event there. An offset alone would name some event in any
 * log; the fingerprint makes a log that was truncated, replaced or recreated show itself on resume.
 */
export interface LogPoint {
  /** An integer from 0 to 2^53 − 1, strictly increasing in one log, not dense. */
  readonly offset: number;
  /** An integer from 0 to 2^53 − 1, see {@link fingerprint}. */
  readonly fingerprint: number;
}

/** The hexadecimal digits of the encrypted block in a position: 16 bytes. */
const BLOCK_DIGITS = 32;
const BLOCK_SHAPE = /^([0-9a-f]{32})([0-9a-z]{3})$/;

const FINGERPRINT_DIGITS = 11;
const CHECK_DIGITS = 3;

/** The characters of every position that a gateway makes. */
export const POSITION_LENGTH = BLOCK_DIGITS + CHECK_DIGITS;
const LOW_DIGITS = 5;
const LOW_RANGE = 36 ** LOW_DIGITS;
const SHAPE = /^([0-9a-z]{1,11})\.([0-9a-z]{11})([0-9a-z]{3})$/;

/**
 * The text that clients hold for a point of a log: 32 hexadecimal digits that a gateway encrypted, and 3 check digits in base 36. Clients
 * keep it and hand it back, nothing else. Without the key, it tells nothing about the event that it names. The check digits are not a
 * secret: they tell a garbled position, which is refused, from the position of another log or key, which is answered with `reset`.
 *
 * @param block 32 hexadecimal digits in lower case
 * @see docs/reference/protocol.md#positions
 */
export function positionOfBlock(block: string): string {
  return block + checkDigits(block);
}

/**
 * The encrypted block of a position; undefined for a position in the form of release 0.1, which no gateway can prove any more.
 *
 * @returns 32 hexadecimal digits
 * @throws PregonError POSITION_INVALID if the text is not a position
 */
export function blockOfPosition(position: string): string | undefined {
  const [, block, check] = BLOCK_SHAPE.exec(position) ?? [];
  if (block?.length === BLOCK_DIGITS && checkDigits(block) === check) return block;
  decodePosition(position);
  return undefined;
}

/** @throws PregonError POSITION_INVALID if the text is not a position, of whatever log */
export function assertPosition(position: string): void {
  blockOfPosition(position);
}

/**
 * The form that positions had in release 0.1: `<offset>.<fingerprint><check>`, base 36. It showed an unkeyed hash of the event, so gateways
 * answer it with `reset`; it stays here for programs that meet positions of that time.
 */
export function encodePosition(point: LogPoint): string {
  const body = `${point.offset.toString(36)}.${encodeFingerprint(point.fingerprint)}`;
  return body + checkDigits(body);
}

/** In two halves that fit 32 bits: V8 writes larger numbers seven times slower, and this is done for each event. */
function encodeFingerprint(fingerprint: number): string {
  const high = Math.floor(fingerprint / LOW_RANGE).toString(36);
  const low = (fingerprint % LOW_RANGE).toString(36);
  return high.padStart(FINGERPRINT_DIGITS - LOW_DIGITS, '0') + low.padStart(LOW_DIGITS, '0');
}

/** @throws PregonError POSITION_INVALID if {@link encodePosition} did not make the text */
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
 * A 53-bit hash of bytes: two lanes of multiply-and-rotate over 32-bit words. It tells one event from another by
 * accident of 1 in 2^53; it is no defence against somebody who wants two events to look alike, who could only harm the
 * resume of his own connection.
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
