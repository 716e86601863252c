import { constants, deflateRawSync } from 'node:zlib';
import type { Random } from '../../chaos/random.js';
import { randomBytes } from './bytes.js';

export interface FrameOptions {
  readonly opcode?: number;
  readonly last?: boolean;
  readonly rsv?: number;
  readonly mask?: boolean;
  /** The size of the length field in bytes, also if a smaller one would do. */
  readonly lengthBytes?: 0 | 2 | 8;
  /** The declared length, whatever the length of the payload. */
  readonly claim?: bigint;
}

/** A WebSocket frame (RFC 6455 section 5.2) with the given faults. */
export function frame(random: Random, payload: Buffer | string, options: FrameOptions = {}): Buffer {
  const { opcode = 1, last = true, rsv = 0, mask = true } = options;
  const bytes = Buffer.from(payload);
  const length = options.claim ?? BigInt(bytes.length);
  const form = options.lengthBytes ?? (length < 126n ? 0 : length < 65_536n ? 2 : 8);
  const head = Buffer.alloc(2 + form);
  head[0] = (last ? 0x80 : 0) | (rsv << 4) | opcode;
  head[1] = (mask ? 0x80 : 0) | (form === 0 ? Number(length & 127n) : form === 2 ? 126 : 127);
  if (form === 2) head.writeUInt16BE(Number(length & 0xffffn), 2);
  if (form === 8) head.writeBigUInt64BE(BigInt.asUintN(64, length), 2);
  if (!mask) return Buffer.concat([head, bytes]);
  const key = randomBytes(random, 4);
  const masked = Buffer.allocUnsafe(bytes.length);
  for (let at = 0; at < bytes.length; at++) masked[at] = (bytes[at] ?? 0) ^ (key[at & 3] ?? 0);
  return Buffer.concat([head, key, masked]);
}

/** The payload of a compressed message (RFC 7692 section 7.2.1). */
export function deflated(payload: Buffer | string): Buffer {
  const bytes = deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH });
  return bytes.subarray(0, -4);
}

/** One or a few frames of any kind, valid or not. */
export function anyFrame(random: Random, payload: Buffer): Buffer {
  switch (random.integer(0, 13)) {
    case 0:
      return frame(random, payload, { opcode: random.integer(0, 15) });
    case 1:
      return frame(random, payload, { rsv: random.integer(0, 7), opcode: random.pick([1, 2, 8, 9, 0]) });
    case 2:
      return frame(random, payload, { mask: false });
    case 3:
      return frame(random, payload, {
        claim: random.pick([0n, 1n, 125n, 126n, 65_535n, 65_536n, 1_048_576n, 1_048_577n]),
      });
    case 4:
      return frame(random, payload, {
        claim: random.pick([2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]),
      });
    case 5:
      return frame(random, payload.subarray(0, 125), { lengthBytes: random.pick([2, 8] as const) });
    case 6:
      return fragments(random, payload);
    case 7:
      return frame(random, closePayload(random), { opcode: 8 });
    case 8:
      return frame(random, payload.subarray(0, random.pick([0, 5, 125, 126, 300])), { opcode: random.pick([9, 10]) });
    case 9:
      return frame(random, deflated(payload), { rsv: 4, opcode: random.pick([1, 2]) });
    case 10:
      return frame(
        random,
        random.chance(0.9) ? payload : deflated(Buffer.alloc(random.pick([20_000, 1_048_576, 5_000_000]))),
        {
          rsv: 4,
        },
      );
    case 11:
      return frame(random, payload, { opcode: 2 });
    default:
      return frame(random, payload);
  }
}

/** A message in fragments, with control frames between them, or with a fragment of another message. */
function fragments(random: Random, payload: Buffer): Buffer {
  const count = random.pick([2, 3, 5, 100]);
  const size = Math.ceil(payload.length / count) || 1;
  const pieces: Buffer[] = [];
  const rsv = random.chance(0.2) ? 4 : 0;
  for (let at = 0; at < count; at++) {
    const piece = payload.subarray(at * size, (at + 1) * size);
    const opcode = at === 0 || random.chance(0.02) ? random.pick([1, 2]) : 0;
    pieces.push(frame(random, piece, { opcode, last: at === count - 1, rsv: at === 0 ? rsv : 0 }));
    if (random.chance(0.1)) pieces.push(frame(random, 'ping', { opcode: 9 }));
  }
  if (random.chance(0.2)) pieces.pop();
  return Buffer.concat(pieces);
}

function closePayload(random: Random): Buffer {
  const code = random.pick([0, 999, 1000, 1001, 1004, 1005, 1006, 1012, 1015, 2999, 3000, 4000, 4999, 5000, 65_535]);
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  const reason = random.pick([Buffer.from(''), Buffer.from('bye'), Buffer.from([0xff, 0xfe]), Buffer.alloc(123, 'é')]);
  return random.chance(0.1) ? payload.subarray(0, 1) : Buffer.concat([payload, reason]);
}
