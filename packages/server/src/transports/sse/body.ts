import { ChunkMemory } from '../../core/delivery/chunk-memory.js';
import type { Format } from '../../core/ports/delivery.js';
import { eventBlocks } from './event-blocks.js';

/** How the bytes of an event stream are sent as the body of a response. */
export interface StreamBody {
  /** Of events. */
  readonly format: Format;
  /** The bytes of any other block. */
  encode(block: Buffer): Buffer;
}

/** From how many takers on the bytes get memory of their own, as those of other formats do. */
const MANY = 32;

const chunkMemory = new ChunkMemory();

const LINE_END = '\r\n';

/**
 * In chunks (RFC 9112 section 7.1): a client can tell a stream that ended, by the last chunk, from one that broke off. The
 * bytes are the same for all clients.
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
    /** Several are one chunk: a client is told of each chunk. */
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

/** As it is: HTTP/2 has frames of its own, and HTTP/1.0, which nginx speaks unless told otherwise, knows no chunks. */
export const plainBody: StreamBody = {
  format: eventBlocks,
  encode: (block) => block,
};

function chunkSize(size: number): number {
  return size.toString(16).length + LINE_END.length + size + LINE_END.length;
}
