/** Opcodes of RFC 6455 section 5.2. */
const TEXT = 0x1;
const BINARY = 0x2;
const FIN = 0x80;
/** Marks a compressed message (RFC 7692 section 6). */
const RSV1 = 0x40;

/** A whole, unmasked frame with a text message, as a server sends it (RFC 6455 section 5.2). */
export function textFrame(text: string): Buffer {
  const size = Buffer.byteLength(text);
  const start = headerSize(size);
  const frame = Buffer.allocUnsafe(start + size);
  writeHeader(frame, 0, TEXT, size);
  frame.write(text, start);
  return frame;
}

/** The same for a text that is already encoded as UTF-8. */
export function encodedTextFrame(text: Uint8Array): Buffer {
  return frameOf(TEXT, text);
}

export function binaryFrame(bytes: Uint8Array): Buffer {
  return frameOf(BINARY, bytes);
}

/** A text message with a compressed payload, for connections that negotiated permessage-deflate. */
export function compressedTextFrame(payload: Uint8Array): Buffer {
  return frameOf(RSV1 | TEXT, payload);
}

/** A ping without payload (RFC 6455 section 5.5.2): the same bytes for all clients. */
export const PING_FRAME = Buffer.from([FIN | 0x9, 0]);

/** The size of the header for a payload of that size. */
export function headerSize(payloadSize: number): number {
  return payloadSize < 126 ? 2 : payloadSize < 65_536 ? 4 : 10;
}

/** Writes the header of a text message. @returns the offset in `target` where the payload begins */
export function writeTextHeader(target: Buffer, at: number, payloadSize: number): number {
  return writeHeader(target, at, TEXT, payloadSize);
}

function frameOf(opcode: number, payload: Uint8Array): Buffer {
  const start = headerSize(payload.length);
  const frame = Buffer.allocUnsafe(start + payload.length);
  writeHeader(frame, 0, opcode, payload.length);
  frame.set(payload, start);
  return frame;
}

function writeHeader(target: Buffer, at: number, opcode: number, payloadSize: number): number {
  target[at] = FIN | opcode;
  if (payloadSize < 126) {
    target[at + 1] = payloadSize;
    return at + 2;
  }
  if (payloadSize < 65_536) {
    target[at + 1] = 126;
    return target.writeUInt16BE(payloadSize, at + 2);
  }
  target[at + 1] = 127;
  return target.writeUIntBE(payloadSize, target.writeUInt16BE(0, at + 2), 6);
}
