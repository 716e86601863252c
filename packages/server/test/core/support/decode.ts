import { assertEvent, type PregonEvent } from '@pregon/protocol';

/** The texts of whole, unmasked text frames, as a client reads them; throws if a byte violates RFC 6455 section 5.2. */
export function decodeFrames(bytes: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes.readUInt8(at) !== 0x81) throw new Error(`the frame at ${at} is not a final text frame`);
    const { size, start } = readSize(bytes, at + 1);
    if (start + size > bytes.length) throw new Error(`the frame at ${at} is cut off`);
    texts.push(decodeText(bytes.subarray(start, start + size)));
    at = start + size;
  }
  return texts;
}

function readSize(bytes: Buffer, at: number): { size: number; start: number } {
  const short = bytes.readUInt8(at);
  if (short < 126) return { size: short, start: at + 1 };
  if (short === 126) return minimal(bytes.readUInt16BE(at + 1), 126, at + 3);
  if (short === 127) return minimal(Number(bytes.readBigUInt64BE(at + 1)), 65_536, at + 9);
  throw new Error('a server does not mask');
}

/** A length must use the shortest form that fits. */
function minimal(size: number, least: number, start: number): { size: number; start: number } {
  if (size < least) throw new Error(`the length ${size} has a shorter form`);
  return { size, start };
}

/** The `message` events of an event stream, with the id that each sets. */
export function decodeBlocks(bytes: Buffer): { id: string; data: string }[] {
  const text = decodeText(bytes);
  if (text !== '' && !text.endsWith('\n\n')) throw new Error('the stream ends inside a block');
  return text
    .split('\n\n')
    .slice(0, -1)
    .map((block) => {
      const fields = block.split('\n').map((line) => /^(id|data): ([^\r]*)$/.exec(line));
      if (fields.length !== 2 || fields[0]?.[1] !== 'id' || fields[1]?.[1] !== 'data') {
        throw new Error(`not one id and one data line: ${block.slice(0, 200)}`);
      }
      return { id: fields[0][2] ?? '', data: fields[1][2] ?? '' };
    });
}

/** The events in the bytes of a chunk. */
export function decodeEvents(bytes: Buffer, format: 'websocket' | 'sse'): PregonEvent[] {
  if (format === 'websocket') return decodeFrames(bytes).map(parseEvent);
  return decodeBlocks(bytes).map(({ id, data }) => {
    const event = parseEvent(data);
    if (event.position !== id) throw new Error(`the id ${id} is not the position ${event.position}`);
    return event;
  });
}

function parseEvent(text: string): PregonEvent {
  const event: unknown = JSON.parse(text);
  assertEvent(event);
  return event;
}

function decodeText(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}
