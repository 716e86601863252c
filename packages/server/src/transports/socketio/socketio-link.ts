import type { CloseCode, RequestId } from '@pregon/protocol';
import type { Socket } from 'socket.io';
import type { EventChunk, OutgoingMessage } from '../../core/ports/delivery.js';
import type { ControlFrame, Link } from '../../core/ports/link.js';
import type { Clock } from '../../core/time/clock.js';
import { closeReason, refusalCode } from '../sockets/closing.js';
import { textFrame } from '../sockets/websocket-frame.js';
import type { EngineWriter } from './engine/engine-writer.js';
import type { EventPackets } from './event-packets.js';

/** The subscription that was asked for in the handshake: the one that stock clients resume by themselves. */
export const HANDSHAKE_SUBSCRIPTION = 0;

/** What a client gave us to call with the answer. */
export type Acknowledge = (answer: unknown) => void;

export interface SocketIoLinkOptions {
  readonly socket: Socket;
  readonly writer: EngineWriter;
  readonly clock: Clock;
  /** For the subscription of the handshake. */
  readonly packets: EventPackets;
  /** For all others: without positions, which the client would take for its place in the first. */
  readonly laterPackets: EventPackets;
  /** The position of an event of which the client has the first packet already. */
  readonly incompleteAt: string | undefined;
}

/** A client of Socket.IO in one namespace. Control frames that matter to it are events of their own name. */
export class SocketIoLink implements Link {
  readonly transport = 'socket.io';
  readonly #socket: Socket;
  readonly #writer: EngineWriter;
  readonly #clock: Clock;
  readonly #packets: EventPackets;
  readonly #laterPackets: EventPackets;
  #acknowledges: Map<RequestId, Acknowledge> | undefined;
  #incompleteAt: string | undefined;
  #reconnectInMs = 0;

  constructor({ socket, writer, clock, packets, laterPackets, incompleteAt }: SocketIoLinkOptions) {
    this.#socket = socket;
    this.#writer = writer;
    this.#clock = clock;
    this.#packets = packets;
    this.#laterPackets = laterPackets;
    this.#incompleteAt = incompleteAt;
  }

  get full(): boolean {
    return this.#writer.full;
  }

  get bufferedBytes(): number {
    return this.#writer.bufferedBytes;
  }

  get takenBytes(): number {
    return this.#writer.takenBytes;
  }

  /** The next `subscribed`, `unsubscribed`, `ack` or `error` with this id goes to the client's own callback. */
  answer(id: RequestId, acknowledge: Acknowledge): void {
    this.#acknowledges ??= new Map();
    this.#acknowledges.set(id, acknowledge);
  }

  events(id: RequestId, chunk: EventChunk): void {
    const writer = this.#writer;
    const packets = this.#packets;
    const laterPackets = this.#laterPackets;
    if (id !== HANDSHAKE_SUBSCRIPTION) {
      writer.write(chunk.bytes(laterPackets), () => laterPackets.texts(chunk));
    } else if (this.#incompleteAt !== undefined && this.#incompleteAt === chunk.events[0]?.position) {
      const { frames, texts } = packets.rest(chunk);
      writer.write(frames, () => texts);
    } else {
      writer.write(chunk.bytes(packets), () => packets.texts(chunk));
    }
    if (id === HANDSHAKE_SUBSCRIPTION) this.#incompleteAt = undefined;
  }

  hold(): void {
    this.#writer.hold();
  }

  release(): void {
    this.#writer.release();
  }

  snapshot(id: RequestId, rows: string, more: boolean): void {
    this.#write(this.#packets.packetOf('snapshot', `{"id":${id},"rows":${rows},"more":${more}}`));
  }

  control(frame: ControlFrame): void {
    switch (frame.op) {
      case 'subscribed': {
        const { op: _, ...subscribed } = frame;
        // Not its place yet, where the event there is still to be completed.
        const place = this.#incompleteAt === undefined ? [frame.position] : [];
        if (frame.id === HANDSHAKE_SUBSCRIPTION) this.#emit('subscribed', subscribed, ...place);
        return this.#acknowledge(frame.id, subscribed);
      }
      case 'checkpoint': {
        const { id, position } = frame;
        return this.#emit('checkpoint', { id, position }, ...(id === HANDSHAKE_SUBSCRIPTION ? [position] : []));
      }
      case 'reset':
        if (frame.id === HANDSHAKE_SUBSCRIPTION) this.#incompleteAt = undefined;
        return this.#emit('reset', { id: frame.id, reason: frame.reason });
      case 'unsubscribed':
        return this.#acknowledge(frame.id, { id: frame.id });
      case 'ack':
        return this.#acknowledge(frame.id, frame.data);
      case 'error':
        return this.#refuse(frame);
      case 'draining':
        this.#reconnectInMs = frame.reconnectInMs;
        return this.#emit('draining', { reconnectInMs: frame.reconnectInMs });
    }
  }

  message(message: OutgoingMessage): boolean {
    const packets = this.#packets;
    const writer = this.#writer;
    if (writer.full) return false;
    // Bytes come in packets of their own, behind the one that announces them.
    if (message.data instanceof Uint8Array) return this.#socket.emit(message.name, Buffer.from(message.data));
    writer.write(message.encoded(packets.encodeMessage), () => [packets.messageText(message)]);
    return true;
  }

  ping(): boolean {
    // Engine.IO asks by itself.
    return false;
  }

  /** Where the client shall come back, its transport ends, which stock clients take for a lost connection; else its namespace does. */
  close(code: CloseCode, reason?: string): void {
    const socket = this.#socket;
    this.#emit('closing', { ...code, reason: closeReason(code, reason) });
    if (!code.reconnect) return void socket.disconnect();
    if (this.#reconnectInMs === 0) return socket.conn.close();
    this.#clock.after(this.#reconnectInMs, () => socket.conn.close());
  }

  #refuse(frame: Extract<ControlFrame, { op: 'error' }>): void {
    const { id, code, message, retryable } = frame;
    const refused = { code, message, retryable };
    if (id !== undefined && this.#acknowledges?.has(id)) return this.#acknowledge(id, { error: refused });
    this.#emit('refused', { ...(id === undefined ? {} : { id }), ...refused });
    // A client that cannot have what its handshake asked for has to ask for something else.
    if (id === HANDSHAKE_SUBSCRIPTION && code !== 'SUBSCRIPTION_UNKNOWN') this.close(refusalCode(code), message);
  }

  #acknowledge(id: RequestId, answer: unknown): void {
    this.#acknowledges?.get(id)?.(answer);
    // Not before: where the answer cannot be written, an error goes in its place.
    this.#acknowledges?.delete(id);
  }

  #emit(name: string, ...args: readonly unknown[]): void {
    this.#write(this.#packets.packet(name, ...args));
  }

  #write(text: string): void {
    this.#writer.write(textFrame(`4${text}`), () => [text]);
  }
}
