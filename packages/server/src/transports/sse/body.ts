import { ChunkMemory } from '../../core/delivery/chunk-memory.js';
import type { Format } from '../../core/ports/delivery.js';
import { eventBlocks } from './event-blocks.js';

/** How an event stream is sent as the body of a response. */
export interface StreamBody {
  /** The format of events. */
  readonly format: Format;
  /** Encodes any other block. */
  encode(block: Buffer): Buffer;
}

/** For this many connections or more, a chunk gets memory of its own, as in other formats. */
const MANY = 32;

const chunkMemory = new ChunkMemory();

const LINE_END = '\r\n';

/**
 * Chunked transfer coding (RFC 9112 section 7.1): the last chunk distinguishes a stream that ended from one that broke
 * off. The bytes are the same for all clients.
 */
export const chunkedBody: StreamBody = {
  format: {
    size(event) {
      return chunkSize(eventBlocks.size(event));
    },
    write(event, target, at) {
      const size = eventBlocks.size(event);
      const start = at + target.write(`${size.toString(16)}${LINE_END}`, at, 'latin1');
      const end = eventBlocks.write(event, target, start);
      return end + target.write(LINE_END, end, 'latin1');
    },
    /** Several events form one chunk, because clients process each chunk separately. */
    together(events, takers) {
      if (events.length < 2) return undefined;
      let size = 0;
      for (const event of events) size += eventBlocks.size(event);
      const total = chunkSize(size);
      const target = takers < MANY ? chunkMemory.take(total) : Buffer.allocUnsafeSlow(total);
      let at = target.write(`${size.toString(16)}${LINE_END}`, 'latin1');
      for (const event of events) at = eventBlocks.write(event, target, at);
      target.write(LINE_END, at, 'latin1');
      return target;
    },
  },
  encode(block) {
    return Buffer.concat([Buffer.from(`${block.length.toString(16)}${LINE_END}`), block, Buffer.from(LINE_END)]);
  },
};

/**
 * The unchanged stream: HTTP/2 has its own frames, and HTTP/1.0, which nginx uses by default, has no chunked coding.
 */
export const plainBody: StreamBody = {
  format: eventBlocks,
  encode: (block) => block,
};

function chunkSize(size: number): number {
  return size.toString(16).length + LINE_END.length + size + LINE_END.length;
}
