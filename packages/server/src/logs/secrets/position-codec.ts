import { type Cipher, createCipheriv, createDecipheriv, type Decipher } from 'node:crypto';
import { blockOfPosition, type LogPoint, positionOfBlock } from '@pregon/protocol';
import type { Log } from '../../core/ports/log.js';
import type { PositionCodec } from '../../core/ports/positions.js';
import { deriveKey } from './derive-key.js';

const BLOCK_BYTES = 16;
const BLOCK_DIGITS = 2 * BLOCK_BYTES;
const KEY_BYTES = 16;

/**
 * Offset and fingerprint have 53 bits each, stored in 64. In both, the upper 11 bits are 0, which proves that the key
 * is right.
 */
const HIGH_RANGE = 2 ** 21;
const LOW_RANGE = 2 ** 32;

/**
 * The number of points that one cipher call encrypts. One call for many points keeps each point well below a
 * microsecond.
 */
const POINTS_AT_ONCE = 1_024;

/**
 * Returns the codec for positions of a log, for programs that read the log directly. It makes the same texts as every
 * gateway on the log.
 *
 * @param configured the option `secret` of the gateways, if they have one
 * @throws PregonError LOG_UNAVAILABLE | CONFIG_INVALID if the log cannot provide its secret
 * @example
 * const positions = await positionsOf(log);
 * positions.encode(await log.head()); // the position of a client at the head of the log
 */
export async function positionsOf(log: Pick<Log, 'secret'>, configured?: string): Promise<PositionCodec> {
  return new AesPositionCodec(configured ?? (await log.secret()));
}

/**
 * Encrypts a point as one block of AES-128 (FIPS 197) under a derived key. A block cipher is a permutation: two points
 * never have the same text, and equal fingerprints at different offsets look unrelated. A single block needs no mode of
 * operation.
 */
export class AesPositionCodec implements PositionCodec {
  readonly #cipher: Cipher;
  readonly #decipher: Decipher;

  /** @param secret see {@link deriveKey} */
  constructor(secret: Uint8Array | string) {
    const key = deriveKey(secret, 'positions', KEY_BYTES);
    this.#cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
    this.#decipher = createDecipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  }

  encode(point: LogPoint): string {
    return positionOfBlock(this.#encrypt([point]));
  }

  encodeAll(points: readonly LogPoint[]): string[] {
    const positions: string[] = [];
    for (let from = 0; from < points.length; from += POINTS_AT_ONCE) {
      const digits = this.#encrypt(points.slice(from, from + POINTS_AT_ONCE));
      for (let at = 0; at < digits.length; at += BLOCK_DIGITS) {
        positions.push(positionOfBlock(digits.slice(at, at + BLOCK_DIGITS)));
      }
    }
    return positions;
  }

  decode(position: string): LogPoint | undefined {
    const digits = blockOfPosition(position);
    if (digits === undefined) return undefined;
    const block = this.#decipher.update(Buffer.from(digits, 'hex'));
    const offset = readNumber(block, 0);
    const fingerprint = readNumber(block, 8);
    return offset === undefined || fingerprint === undefined ? undefined : { offset, fingerprint };
  }

  #encrypt(points: readonly LogPoint[]): string {
    const blocks = Buffer.allocUnsafe(points.length * BLOCK_BYTES);
    points.forEach(({ offset, fingerprint }, index) => {
      writeNumber(blocks, index * BLOCK_BYTES, offset);
      writeNumber(blocks, index * BLOCK_BYTES + 8, fingerprint);
    });
    return this.#cipher.update(blocks).toString('hex');
  }
}

function writeNumber(block: Buffer, at: number, value: number): void {
  block.writeUInt32BE(Math.floor(value / LOW_RANGE), at);
  block.writeUInt32BE(value % LOW_RANGE, at + 4);
}

function readNumber(block: Buffer, at: number): number | undefined {
  const high = block.readUInt32BE(at);
  return high < HIGH_RANGE ? high * LOW_RANGE + block.readUInt32BE(at + 4) : undefined;
}
