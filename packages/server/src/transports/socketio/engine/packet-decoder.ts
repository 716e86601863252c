import { assertJsonShape, type JsonShape } from '@pregon/protocol';
import type { Decoder } from 'socket.io-parser';

/** How many namespaces a client may enter over one connection without leaving any, refused ones included. */
const MOST_CONNECTS = 1_000;

/**
 * The most bytes of attachments of one event, as a multiple of the largest message. Socket.IO itself would accept ten
 * of that size.
 */
const MOST_ATTACHED = 4;

/**
 * The part of a packet before its data: type, number of attachments, namespace and id. Socket.IO parses it character by
 * character.
 */
const HEAD = /^\d(?:\d{1,6}-)?(?:\/[^,]{0,1000}(?:,|$))?\d{0,16}(?:[[{"]|$)/;

/** Texts up to this length are passed to Socket.IO without a check of the head. */
const SHORT = 1_024;

const CONNECT = '0';
const DISCONNECT = '1';

export interface PacketLimits {
  readonly shape: JsonShape;
  readonly maxFrameBytes: number;
}

/**
 * Returns a decoder class that checks packets before Socket.IO parses them. An error ends the connection: only a
 * hostile client, or a client with a bug that would repeat itself, exceeds these limits.
 *
 * @param base the decoder class of Socket.IO, which creates an instance for each client, without arguments
 */
export function packetDecoder(base: typeof Decoder, limits: PacketLimits): typeof Decoder {
  return class PacketDecoder extends base {
    #connects = 0;
    /** Bytes of the attachments of the event that is being received. */
    #attachedBytes = 0;

    /** @throws Error if the message is not a packet, as the base class does, or exceeds a limit */
    override add(message: unknown): void {
      if (typeof message === 'string') this.#assertText(message);
      else this.#assertAttachment(message);
      super.add(message);
    }

    #assertText(text: string): void {
      this.#attachedBytes = 0;
      if (text.startsWith(CONNECT)) this.#connects += 1;
      else if (text.startsWith(DISCONNECT)) this.#connects = Math.max(this.#connects - 1, 0);
      if (this.#connects > MOST_CONNECTS) throw new Error(`the client requested more than ${MOST_CONNECTS} namespaces`);
      if (text.length > SHORT && !HEAD.test(text))
        throw new Error('the message does not begin with the head of a packet');
      assertJsonShape(text, limits.shape);
    }

    #assertAttachment(attachment: unknown): void {
      this.#attachedBytes += ArrayBuffer.isView(attachment) ? attachment.byteLength : 0;
      const most = MOST_ATTACHED * limits.maxFrameBytes;
      if (this.#attachedBytes > most) throw new Error(`more than ${most} bytes are attached to one event`);
    }
  };
}
