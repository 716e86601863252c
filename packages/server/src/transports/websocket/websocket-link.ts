import type { Socket } from 'node:net';
import type { CloseCode, RequestId } from '@pregon/protocol';
import type { ClientConnection } from '../../core/connections/client-connection.js';
import type { TransportName } from '../../core/connections/connection.js';
import type { EventChunk, OutgoingMessage } from '../../core/ports/delivery.js';
import type { ControlFrame, Link } from '../../core/ports/link.js';
import { closeReason } from '../sockets/closing.js';
import type { PacedSocket } from '../sockets/paced-socket.js';
import { SocketWriter } from '../sockets/socket-writer.js';
import { PING_FRAME } from '../sockets/websocket-frame.js';
import { ClientContext } from './compression/client-context.js';
import type { EventFormats } from './event-formats.js';
import type { NewClient } from './first-frame-limit.js';

/** What is the same for all connections by WebSocket, whatever they speak on it. */
export abstract class WebSocketLink extends SocketWriter implements Link, NewClient {
  readonly #client: PacedSocket;
  readonly #formats: EventFormats;
  #isRegulated = false;
  #isHeld = false;
  /** Undefined where nothing that is sent to the client goes on from what was sent before. */
  readonly #context: ClientContext | undefined;
  /** Whose link it is, as soon as there is one. */
  connection: ClientConnection | undefined;

  constructor(client: PacedSocket, socket: Socket, maxBufferedBytes: number, formats: EventFormats) {
    super(socket, maxBufferedBytes);
    this.#client = client;
    this.#formats = formats;
    this.#context = formats.continued && new ClientContext();
  }

  abstract get transport(): TransportName;
  abstract events(id: RequestId, chunk: EventChunk): void;
  abstract control(frame: ControlFrame): void;
  abstract message(message: OutgoingMessage): boolean;

  setReading(reading: boolean): void {
    this.#isRegulated = !reading;
    this.#read();
  }

  get hasSentData(): boolean {
    return this.unreadBytes > 0;
  }

  setHeld(held: boolean): void {
    this.#isHeld = held;
    this.#read();
  }

  ping(): boolean {
    this.write(PING_FRAME);
    return true;
  }

  close(code: CloseCode, reason?: string): void {
    this.shut();
    this.#client.dismiss(code.code, closeReason(code, reason));
  }

  /** Without a word. */
  terminate(): void {
    this.#client.terminate();
  }

  /** A close frame may also be sent by ws: in answer to the client's, or to a frame that is none. */
  protected override get isOpen(): boolean {
    return this.#client.readyState === this.#client.OPEN;
  }

  #read(): void {
    // Once it is closing, the answer to the goodbye is still to be read.
    if (this.closed || !(this.#isRegulated || this.#isHeld)) this.#client.resume();
    else this.#client.pause();
  }

  /** @param form how the client takes events that come at once */
  protected writeEvents(chunk: EventChunk, form: 'separate' | 'together'): void {
    const formats = this.#formats;
    this.write(this.#context?.take(chunk, formats, form) ?? chunk.bytes(formats[form]));
  }

  /** It is gone. */
  left(): void {
    this.#context?.release();
  }

  /** What it is sent next is what it missed, which nobody else is sent with it. */
  protected override filled(): void {
    this.#context?.release();
  }

  protected override drained(): void {
    this.connection?.drained();
  }
}
