import { decodePosition, encodePosition } from '@pregon/protocol';
import type { PositionCodec } from '../../../src/core/ports/positions.js';

/** Positions without a key, so that a test can read the point that a position names. */
export const openPositions: PositionCodec = {
  encode: encodePosition,
  encodeAll: (points) => points.map(encodePosition),
  decode: decodePosition,
};
