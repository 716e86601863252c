import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type CloseCode, encodeFrame, type RequestId } from '@pregon/protocol';
import type { Chunk } from '../../core/chunk.js';
import type { Clock } from '../../core/clock.js';
import type { Connection } from '../../core/connection.js';
import type { Format } from '../../core/format.js';
import type { ControlFrame, Link } from '../../core/link.js';
import type { Message } from '../../core/message.js';
import { CLOSE_TIMEOUT_MS, closeReason, refusalCode } from '../closing.js';
import { SocketOutlet } from '../socket-outlet.js';

const ID = Buffer.from('id: ');
const DATA = Buffer.from('\ndata: ');
const END = Buffer.from('\n\n');
const FRAMING_BYTES = ID.length + DATA.length + END.length;

/** A comment line: a sign of life that no client acts upon. */
const COMMENT = Buffer.from(':\n\n');

/**
 * One `message` event for each event, its id the position, so that `Last-Event-ID` resumes after it. The JSON text is compact, so
 * it has no line break that would need a `data:` line of its own.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export const eventBlocks: Format = {
  size(event) {
    return FRAMING_BYTES + event.position.length + event.size;
  },
  write(event, target, at) {
    let end = at + ID.copy(target, at);
    end += target.write(event.position, end, 'latin1');
    end += DATA.copy(target, end);
    end = event.write(target, end);
    return end + END.copy(target, end);
  },
};

/**
 * Server-Sent Events. Control frames that matter to a client are events of their own name: `subscribed`, `snapshot`, `reset`, `message`
 * from a handler as `ephemeral`, `closing`.
 */
export class SseLink extends SocketOutlet implements Link {
  readonly #response: ServerResponse;
  readonly #socket: Socket;
  readonly #clock: Clock;
  /** Whose link it is, as soon as there is one. */
  connection: Connection | undefined;

  constructor(response: ServerResponse, socket: Socket, maxBufferedBytes: number, clock: Clock) {
    super(socket, maxBufferedBytes);
    this.#response = response;
    this.#socket = socket;
    this.#clock = clock;
  }

  get transport(): 'sse' {
    return 'sse';
  }

  events(_id: RequestId, chunk: Chunk): void {
    this.write(chunk.bytes(eventBlocks));
  }

  snapshot(_id: RequestId, rows: string, more: boolean): void {
    this.#write(`event: snapshot\ndata: {"rows":${rows},"more":${more}}\n\n`);
  }

  control(frame: ControlFrame): void {
    switch (frame.op) {
      case 'subscribed':
        return this.#write(`id: ${frame.position}\nevent: subscribed\ndata: ${encodeFrame(frame)}\n\n`);
      case 'checkpoint':
        // An id alone moves Last-Event-ID, and dispatches nothing.
        return this.#write(`id: ${frame.position}\n\n`);
      case 'reset':
        return this.#write(`event: reset\ndata: ${encodeFrame(frame)}\n\n`);
      case 'error':
        this.#write(`event: refused\ndata: ${encodeFrame(frame)}\n\n`);
        // Its one subscription is over. A browser comes back only to a stream that ends.
        return this.close(refusalCode(frame.code), frame.message);
      case 'draining':
        return this.#write(`retry: ${frame.reconnectInMs}\n\n`);
    }
  }

  message(message: Message): boolean {
    if (this.full) return false;
    this.write(message.encoded(encodeMessage));
    return true;
  }

  setReading(): void {
    // A request that was read has nothing more to say.
  }

  ping(): boolean {
    this.write(COMMENT);
    return false;
  }

  close(code: CloseCode, reason?: string): void {
    if (this.closed) return;
    this.#write(`event: closing\ndata: ${JSON.stringify({ ...code, reason: closeReason(code, reason) })}\n\n`);
    this.shut();
    this.#response.end();
    this.#socket.end();
    // One that reads nothing, or never ends its side, would else stay for ever.
    const cancel = this.#clock.after(CLOSE_TIMEOUT_MS, () => this.#socket.destroy());
    this.#socket.once('close', cancel);
  }

  protected override get isOpen(): boolean {
    return this.#socket.writable;
  }

  protected override drained(): void {
    this.connection?.drained();
  }

  #write(text: string): void {
    this.write(Buffer.from(text));
  }
}

function encodeMessage(message: Message): Buffer {
  return Buffer.from(`event: ephemeral\ndata: ${JSON.stringify({ name: message.name, data: message.jsonData })}\n\n`);
}
