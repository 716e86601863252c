import { CLOSE_CODES, type CloseCode, type RequestId } from '@pregon/protocol';
import type { WebSocket } from 'ws';
import type { Chunk } from '../../core/chunk.js';
import type { ControlFrame, Link } from '../../core/link.js';
import type { Message } from '../../core/message.js';
import { closeReason, refusalCode } from '../closing.js';
import type { SocketOutlet } from '../socket-outlet.js';
import { binaryFrame, PING_FRAME, textFrame } from '../websocket-frame.js';
import type { EventFormats } from './wire.js';

/**
 * Plain WebSocket, no subprotocol: events and nothing but events. What has no place in that (a position that cannot be
 * served, an error) closes the connection with a code that says so.
 */
export class PlainLink implements Link {
  readonly transport = 'websocket';
  readonly #socket: WebSocket;
  readonly #outlet: SocketOutlet;
  readonly #formats: EventFormats;

  constructor(socket: WebSocket, outlet: SocketOutlet, formats: EventFormats) {
    this.#socket = socket;
    this.#outlet = outlet;
    this.#formats = formats;
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

  events(_id: RequestId, chunk: Chunk): void {
    this.#outlet.write(chunk.bytes(this.#formats.separate));
  }

  snapshot(): void {
    throw new TypeError('a plain WebSocket has no snapshot');
  }

  control(frame: ControlFrame): void {
    if (frame.op === 'reset') this.close(CLOSE_CODES.RESET, `${frame.reason}: connect again without since`);
    else if (frame.op === 'error') this.close(refusalCode(frame.code), frame.message);
  }

  message(message: Message): boolean {
    if (this.full) return false;
    this.#outlet.write(message.encoded(encodePlain));
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

function encodePlain({ data }: Message): Buffer {
  if (data instanceof Uint8Array) return binaryFrame(data);
  return textFrame(typeof data === 'string' ? data : (JSON.stringify(data) ?? 'null'));
}
