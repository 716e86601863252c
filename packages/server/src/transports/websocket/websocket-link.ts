import type { Socket } from 'node:net';
import { CLOSE_CODES, type CloseCode, encodeFrame, type RequestId } from '@pregon/protocol';
import type { ClientConnection } from '../../core/connections/client-connection.js';
import type { TransportName } from '../../core/connections/connection.js';
import type { EventChunk, OutgoingMessage } from '../../core/ports/delivery.js';
import type { ControlFrame, Link } from '../../core/ports/link.js';
import { closeReason, refusalCode } from '../sockets/closing.js';
import type { PacedSocket } from '../sockets/paced-socket.js';
import { SocketWriter } from '../sockets/socket-writer.js';
import { binaryFrame, PING_FRAME, textFrame } from '../sockets/websocket-frame.js';
import { ClientContext } from './compression/client-context.js';
import type { EventFormats } from './event-formats.js';
import type { NewClient } from './first-frame-limit.js';

/** The common part of all WebSocket links, with or without subprotocol. */
export abstract class WebSocketLink extends SocketWriter implements Link, NewClient {
  readonly #client: PacedSocket;
  readonly #formats: EventFormats;
  #isRegulated = false;
  #isHeld = false;
  /** Undefined if messages to this client never refer to earlier ones. */
  readonly #context: ClientContext | undefined;
  /** The connection of this link, once it is open. */
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

  discard(): void {
    this.terminate();
  }

  /** Ends the connection without a close frame. */
  terminate(): void {
    this.#client.terminate();
  }

  /** `ws` may also send a close frame: in answer to the client's, or to an invalid frame. */
  protected override get isOpen(): boolean {
    return this.#client.readyState === this.#client.OPEN;
  }

  #read(): void {
    // While closing, the answer to the close frame must still be read.
    if (this.closed || !(this.#isRegulated || this.#isHeld)) this.#client.resume();
    else this.#client.pause();
  }

  /** @param form whether the client takes several events in one frame */
  protected writeEvents(chunk: EventChunk, form: 'separate' | 'together'): void {
    const formats = this.#formats;
    this.write(this.#context?.take(chunk, formats, form) ?? chunk.bytes(formats[form]));
  }

  /** The client has left. */
  left(): void {
    this.#context?.release();
  }

  /** A full client continues with the events that it missed, which no other client gets at the same time. */
  protected override filled(): void {
    this.#context?.release();
  }

  protected override drained(): void {
    this.connection?.drained();
  }
}

/**
 * Plain WebSocket without subprotocol: sends only events. Anything else, such as an error or a position that cannot be
 * served, closes the connection with a code that says so.
 */
export class PlainLink extends WebSocketLink {
  override get transport(): 'websocket' {
    return 'websocket';
  }

  override events(_id: RequestId, chunk: EventChunk): void {
    this.writeEvents(chunk, 'separate');
  }

  override control(frame: ControlFrame): void {
    if (frame.op === 'reset') this.close(CLOSE_CODES.RESET, `${frame.reason}: connect again without since`);
    else if (frame.op === 'error') this.close(refusalCode(frame.code), frame.message);
  }

  override message(message: OutgoingMessage): boolean {
    if (this.full) return false;
    this.write(message.encoded(encodePlain));
    return true;
  }
}

function encodePlain({ data }: OutgoingMessage): Buffer {
  if (data instanceof Uint8Array) return binaryFrame(data);
  return textFrame(typeof data === 'string' ? data : (JSON.stringify(data) ?? 'null'));
}

/** The subprotocol `pregon.v1`: the same event frames as on a plain WebSocket, and control frames in addition. */
export class FramesLink extends WebSocketLink {
  /** Whether the client accepts several events in one frame. */
  #takesBatches = false;
  #hasSpoken = false;
  /** The subscription to which the client attributes event frames. */
  #current: RequestId | undefined;

  override get transport(): 'pregon.v1' {
    return 'pregon.v1';
  }

  /** The client has sent a frame. @returns whether it is the first */
  spoke(): boolean {
    const isFirst = !this.#hasSpoken;
    this.#hasSpoken = true;
    return isFirst;
  }

  takeBatches(): void {
    this.#takesBatches = true;
  }

  override events(id: RequestId, chunk: EventChunk): void {
    if (id !== this.#current) {
      this.#current = id;
      this.write(textFrame(encodeFrame({ op: 'events', id })));
    }
    this.writeEvents(chunk, this.#takesBatches ? 'together' : 'separate');
  }

  snapshot(id: RequestId, rows: string, more: boolean): void {
    this.write(textFrame(`{"op":"snapshot","id":${id},"rows":${rows},"more":${more}}`));
  }

  override control(frame: ControlFrame): void {
    if (frame.op === 'subscribed') this.#current = frame.id;
    this.write(textFrame(encodeFrame(frame)));
  }

  override message(message: OutgoingMessage): boolean {
    if (this.full) return false;
    this.write(message.encoded(encodeMessage));
    return true;
  }
}

function encodeMessage(message: OutgoingMessage): Buffer {
  return textFrame(encodeFrame({ op: 'message', name: message.name, data: message.jsonData }));
}
