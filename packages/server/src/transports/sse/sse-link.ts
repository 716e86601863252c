import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type CloseCode, encodeFrame, type RequestId } from '@pregon/protocol';
import type { ClientConnection } from '../../core/connections/client-connection.js';
import type { EventChunk, OutgoingMessage } from '../../core/ports/delivery.js';
import type { ControlFrame, Link } from '../../core/ports/link.js';
import type { Clock } from '../../core/time/clock.js';
import { CLOSE_TIMEOUT_MS, closeReason, refusalCode } from '../sockets/closing.js';
import { SocketWriter } from '../sockets/socket-writer.js';
import type { StreamBody } from './body.js';

/** The start of the `Last-Event-ID` of a client that was told not to reconnect; no position starts like this. */
export const NEVER_AGAIN = '!';

/** A comment line: a heartbeat that clients ignore. */
const COMMENT = Buffer.from(':\n\n');

/**
 * Server-Sent Events. Control frames that matter to a client are events with their own names: `subscribed`, `snapshot`,
 * `reset`, `closing`, and `ephemeral` for a message of a handler.
 */
export class SseLink extends SocketWriter implements Link {
  readonly #response: ServerResponse;
  readonly #socket: Duplex;
  readonly #body: StreamBody;
  readonly #clock: Clock;
  /** The connection of this link, once it is open. */
  connection: ClientConnection | undefined;

  /** @param socket the stream for the body: the socket, or an HTTP/2 stream */
  constructor(
    response: ServerResponse,
    socket: Duplex,
    body: StreamBody,
    { maxBufferedBytes, clock }: { readonly maxBufferedBytes: number; readonly clock: Clock },
  ) {
    super(socket, maxBufferedBytes);
    this.#body = body;
    this.#response = response;
    this.#socket = socket;
    this.#clock = clock;
  }

  get transport(): 'sse' {
    return 'sse';
  }

  events(_id: RequestId, chunk: EventChunk): void {
    this.write(chunk.bytes(this.#body.format));
  }

  snapshot(_id: RequestId, rows: string, more: boolean): void {
    this.#write(`event: snapshot\ndata: {"rows":${rows},"more":${more}}\n\n`);
  }

  control(frame: ControlFrame): void {
    switch (frame.op) {
      case 'subscribed':
        return this.#write(`id: ${frame.position}\nevent: subscribed\ndata: ${encodeFrame(frame)}\n\n`);
      case 'checkpoint':
        // An id alone sets Last-Event-ID without dispatching an event.
        return this.#write(`id: ${frame.position}\n\n`);
      case 'reset':
        return this.#write(`event: reset\ndata: ${encodeFrame(frame)}\n\n`);
      case 'error':
        this.#write(`event: refused\ndata: ${encodeFrame(frame)}\n\n`);
        // The only subscription has ended. A browser reconnects only after the stream ends.
        return this.close(refusalCode(frame.code), frame.message);
      case 'draining':
        return this.#write(`retry: ${frame.reconnectInMs}\n\n`);
    }
  }

  message(message: OutgoingMessage): boolean {
    if (this.full) return false;
    this.write(this.#body.encode(message.encoded(encodeMessage)));
    return true;
  }

  ping(): boolean {
    this.write(this.#body.encode(COMMENT));
    return false;
  }

  discard(): void {
    this.#socket.destroy();
  }

  close(code: CloseCode, reason?: string): void {
    if (this.closed) return;
    // A browser reconnects in any case, and then sends this id; the response 204 stops it permanently.
    const id = code.reconnect ? '' : `id: ${NEVER_AGAIN}${code.code}\n`;
    this.#write(`${id}event: closing\ndata: ${JSON.stringify({ ...code, reason: closeReason(code, reason) })}\n\n`);
    this.shut();
    this.#response.end();
    this.#socket.end();
    // A client that does not read, or never closes its side, would otherwise stay connected forever.
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
    this.write(this.#body.encode(Buffer.from(text)));
  }
}

function encodeMessage(message: OutgoingMessage): Buffer {
  return Buffer.from(`event: ephemeral\ndata: ${JSON.stringify({ name: message.name, data: message.jsonData })}\n\n`);
}
