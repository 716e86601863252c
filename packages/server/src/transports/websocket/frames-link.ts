import { encodeFrame, type RequestId } from '@pregon/protocol';
import type { EventChunk, OutgoingMessage } from '../../core/ports/delivery.js';
import type { ControlFrame } from '../../core/ports/link.js';
import { textFrame } from '../sockets/websocket-frame.js';
import { WebSocketLink } from './websocket-link.js';

/** The subprotocol `pregon.v1`: the same event frames as on a plain WebSocket, and control frames in addition. */
export class FramesLink extends WebSocketLink {
  /** Whether the client accepts several events in one frame. */
  #takesBatches = false;
  /** The subscription to which the client attributes event frames. */
  #current: RequestId | undefined;

  override get transport(): 'pregon.v1' {
    return 'pregon.v1';
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
