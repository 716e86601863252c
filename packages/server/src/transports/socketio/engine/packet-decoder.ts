import { assertJsonShape, type JsonShape } from '@pregon/protocol';
import type { Decoder } from 'socket.io-parser';

/** How many namespaces a client may enter over one connection, those that refused it included, without leaving any. */
const MOST_CONNECTS = 1_000;

/** The attachments of one event, in bytes, as a multiple of the largest message: Socket.IO admits ten of that size. */
const MOST_ATTACHED = 4;

/** Type, number of attachments, namespace and id: what stands before the data. Socket.IO reads it letter by letter. */
const HEAD = /^\d(?:\d{1,6}-)?(?:\/[^,]{0,1000}(?:,|$))?\d{0,16}(?:[[{"]|$)/;

/** Texts that are as short are left to Socket.IO altogether. */
const SHORT = 1_024;

const CONNECT = '0';
const DISCONNECT = '1';

export interface PacketLimits {
  readonly shape: JsonShape;
  readonly maxFrameBytes: number;
}

/**
 * A decoder that looks at what a client sends before Socket.IO parses it. What it throws ends the connection: only a hostile client, or
 * one with a mistake that would repeat itself, exceeds these limits.
 *
 * @param base the decoder of Socket.IO, which makes one for each client, without arguments
 */
export function packetDecoder(base: typeof Decoder, limits: PacketLimits): typeof Decoder {
  return class PacketDecoder extends base {
    #connects = 0;
    /** Of the event whose attachments are coming in. */
    #attachedBytes = 0;

    /** @throws Error, as its base does for what is no packet */
    override add(message: unknown): void {
      if (typeof message === 'string') this.#assertText(message);
      else this.#assertAttachment(message);
      super.add(message);
    }

    #assertText(text: string): void {
      this.#attachedBytes = 0;
      if (text.startsWith(CONNECT)) this.#connects += 1;
      else if (text.startsWith(DISCONNECT)) this.#connects = Math.max(this.#connects - 1, 0);
      if (this.#connects > MOST_CONNECTS) throw new Error(`more than ${MOST_CONNECTS} namespaces were asked for`);
      if (text.length > SHORT && !HEAD.test(text)) throw new Error('not the head of a packet');
      assertJsonShape(text, limits.shape);
    }

    #assertAttachment(attachment: unknown): void {
      this.#attachedBytes += ArrayBuffer.isView(attachment) ? attachment.byteLength : 0;
      const most = MOST_ATTACHED * limits.maxFrameBytes;
      if (this.#attachedBytes > most) throw new Error(`more than ${most} bytes are attached to one event`);
    }
  };
}
