import type { CloseCode, RequestId } from '@pregon/protocol';
import type { Socket } from 'socket.io';
import type { EventChunk, OutgoingMessage } from '../../core/ports/delivery.js';
import type { ControlFrame, Link } from '../../core/ports/link.js';
import type { Clock } from '../../core/time/clock.js';
import { closeReason, refusalCode } from '../sockets/closing.js';
import { textFrame } from '../sockets/websocket-frame.js';
import { disconnectSurely } from './engine/disconnect-surely.js';
import type { EngineWriter } from './engine/engine-writer.js';
import type { EventPackets } from './event-packets.js';

/** The subscription of the handshake, which stock clients resume by themselves. */
export const HANDSHAKE_SUBSCRIPTION = 0;

/** The callback that a client passed for the answer. */
export type Acknowledge = (answer: unknown) => void;

export interface SocketIoLinkOptions {
  readonly socket: Socket;
  readonly writer: EngineWriter;
  readonly clock: Clock;
  /** For the subscription of the handshake. */
  readonly packets: EventPackets;
  /**
   * For all other subscriptions. They carry no positions, which the client would take as its offset in the first
   * subscription.
   */
  readonly laterPackets: EventPackets;
  /** The position of an event of which the client already has the first packet. */
  readonly incompleteAt: string | undefined;
}

/**
 * A client of Socket.IO in one namespace. Control frames that matter to the client are emitted as events with their own
 * names.
 */
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

  get isOpenToApplication(): boolean {
    return true;
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

  /** The next `subscribed`, `unsubscribed`, `ack` or `error` frame with this id goes to the client's callback. */
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
        // The position is not yet the client's offset, because the event at that position is still incomplete.
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
    // Bytes are sent as attachments in separate packets, after the packet that announces them.
    if (message.data instanceof Uint8Array) return this.#socket.emit(message.name, Buffer.from(message.data));
    writer.write(message.encoded(packets.encodeMessage), () => [packets.messageText(message)]);
    return true;
  }

  ping(): boolean {
    // Engine.IO sends its own pings.
    return false;
  }

  /**
   * If the client should reconnect, its transport is closed, which stock clients treat as a lost connection. Otherwise
   * its namespace is disconnected.
   */
  close(code: CloseCode, reason?: string): void {
    const socket = this.#socket;
    this.#emit('closing', { ...code, reason: closeReason(code, reason) });
    if (!code.reconnect) return disconnectSurely(socket);
    if (this.#reconnectInMs === 0) return socket.conn.close();
    this.#clock.after(this.#reconnectInMs, () => socket.conn.close());
  }

  discard(): void {
    this.#socket.conn.close(true);
  }

  #refuse(frame: Extract<ControlFrame, { op: 'error' }>): void {
    const { id, code, message, retryable } = frame;
    const refused = { code, message, retryable };
    if (id !== undefined && this.#acknowledges?.has(id)) return this.#acknowledge(id, { error: refused });
    this.#emit('refused', { ...(id === undefined ? {} : { id }), ...refused });
    // The request of the handshake was refused, so the client must ask for something else.
    if (id === HANDSHAKE_SUBSCRIPTION && code !== 'SUBSCRIPTION_UNKNOWN') this.close(refusalCode(code), message);
  }

  #acknowledge(id: RequestId, answer: unknown): void {
    this.#acknowledges?.get(id)?.(answer);
    // Deleted only now: if writing the answer fails, an error is sent to the callback instead.
    this.#acknowledges?.delete(id);
  }

  #emit(name: string, ...args: readonly unknown[]): void {
    this.#write(this.#packets.packet(name, ...args));
  }

  #write(text: string): void {
    this.#writer.write(textFrame(`4${text}`), () => [text]);
  }
}
