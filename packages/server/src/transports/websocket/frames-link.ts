import { type CloseCode, encodeFrame, type RequestId } from '@pregon/protocol';
import type { WebSocket } from 'ws';
import type { Chunk } from '../../core/chunk.js';
import type { ControlFrame, Link } from '../../core/link.js';
import type { Message } from '../../core/message.js';
import { closeReason } from '../closing.js';
import type { SocketOutlet } from '../socket-outlet.js';
import { PING_FRAME, textFrame } from '../websocket-frame.js';
import type { EventFormats } from './wire.js';

/** The subprotocol `pregon.v1`: the same event frames as on a plain WebSocket, and control frames beside them. */
export class FramesLink implements Link {
  readonly transport = 'pregon.v1';
  readonly #socket: WebSocket;
  readonly #outlet: SocketOutlet;
  readonly #formats: EventFormats;
  /** Whether the client said that it takes several events in one frame. */
  #takesBatches = false;
  /** The subscription that event frames belong to, as the client sees it. */
  #current: RequestId | undefined;

  constructor(socket: WebSocket, outlet: SocketOutlet, formats: EventFormats) {
    this.#socket = socket;
    this.#outlet = outlet;
    this.#formats = formats;
  }

  takeBatches(): void {
    this.#takesBatches = true;
  }

  get full(): boolean {
    return this.#outlet.full;
  }

  get bufferedBytes(): number {
    return this.#outlet.bufferedBytes;
  }

  get takenBytes(): number {
    return this.#outlet.takenBytes;
  }

  events(id: RequestId, chunk: Chunk): void {
    if (id !== this.#current) {
      this.#current = id;
      this.#outlet.write(textFrame(encodeFrame({ op: 'events', id })));
    }
    const { separate, together } = this.#formats;
    this.#outlet.write(chunk.bytes(this.#takesBatches ? together : separate));
  }

  hold(): void {
    this.#outlet.hold();
  }

  release(): void {
    this.#outlet.release();
  }

  snapshot(id: RequestId, rows: string, more: boolean): void {
    this.#outlet.write(textFrame(`{"op":"snapshot","id":${id},"rows":${rows},"more":${more}}`));
  }

  control(frame: ControlFrame): void {
    if (frame.op === 'subscribed') this.#current = frame.id;
    this.#outlet.write(textFrame(encodeFrame(frame)));
  }

  message(message: Message): boolean {
    if (this.full) return false;
    this.#outlet.write(message.encoded(encodeMessage));
    return true;
  }

  setReading(reading: boolean): void {
    // Once it is closing, the answer to the goodbye is still to be read.
    if (reading || this.#outlet.closed) this.#socket.resume();
    else this.#socket.pause();
  }

  ping(): boolean {
    this.#outlet.write(PING_FRAME);
    return true;
  }

  close(code: CloseCode, reason?: string): void {
    this.#outlet.close();
    this.#socket.resume();
    this.#socket.close(code.code, closeReason(code, reason));
  }
}

function encodeMessage(message: Message): Buffer {
  return textFrame(encodeFrame({ op: 'message', name: message.name, data: message.jsonData }));
}
