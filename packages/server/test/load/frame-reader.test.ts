import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameReader, OPCODES } from '../../src/load/clients/frame-reader.js';

const FIN = 0x80;

/** A frame as a server sends it. */
function frameOf(first: number, payload: Buffer): Buffer {
  const size = payload.length;
  if (size < 126) return Buffer.concat([Buffer.from([first, size]), payload]);
  const head = Buffer.alloc(size < 65_536 ? 4 : 10);
  head[0] = first;
  head[1] = size < 65_536 ? 126 : 127;
  if (size < 65_536) head.writeUInt16BE(size, 2);
  else head.writeUInt32BE(size, 6);
  return Buffer.concat([head, payload]);
}

/** The messages of bytes that come in pieces, each of which is overwritten after it was read. */
function readPieces(pieces: readonly Buffer[]): string[] {
  const heard: string[] = [];
  const reader = new FrameReader({
    message: (bytes) => heard.push(bytes.toString()),
    control: (opcode, bytes) => heard.push(`${opcode}:${bytes}`),
  });
  for (const piece of pieces) {
    reader.read(piece);
    piece.fill(0xff);
  }
  return heard;
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...ends].map((start, index) => Buffer.concat([bytes.subarray(start, ends[index] ?? bytes.length)]));
}

describe('FrameReader', () => {
  it('reads each message once and whole, however the bytes are split', () => {
    const message = fc.oneof(
      fc.string({ maxLength: 300 }),
      fc.constantFrom('a'.repeat(125), 'b'.repeat(126), 'c'.repeat(70_000)),
    );
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 5 }),
        fc.array(fc.nat(200_000), { maxLength: 6 }),
        (messages, places) => {
          const bytes = Buffer.concat(messages.map((text) => frameOf(FIN | OPCODES.text, Buffer.from(text))));
          expect(readPieces(cut(bytes, places))).toEqual(messages.map((text) => Buffer.from(text).toString()));
        },
      ),
    );
  });

  it('joins fragments, with control frames between them (RFC 6455 section 5.4)', () => {
    const frames = [
      frameOf(OPCODES.text, Buffer.from('one ')),
      frameOf(FIN | OPCODES.ping, Buffer.from('p')),
      frameOf(OPCODES.continuation, Buffer.from('two ')),
      frameOf(FIN | OPCODES.continuation, Buffer.from('three')),
      frameOf(FIN | OPCODES.binary, Buffer.from('four')),
    ];
    expect(readPieces([Buffer.concat(frames)])).toEqual(['9:p', 'one two three', 'four']);
  });

  it.each([
    ['a mask', Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x61])],
    ['reserved bits', Buffer.from([0xc1, 0x01, 0x61])],
    ['more than 64 MiB', Buffer.from([0x81, 0x7f, 0, 0, 0, 1, 0, 0, 0, 0])],
  ])('refuses %s', (_, bytes) => {
    expect(() => readPieces([bytes])).toThrow(RangeError);
  });
});
