import type { Socket } from 'node:net';
import type { Socket as SocketIoSocket } from 'socket.io';
import { carrierOf } from '../../../private-fields/engine-io.js';
import { writePiece } from '../../sockets/write-piece.js';

/** A client of Engine.IO, which may be in several namespaces. */
export type EngineSocket = SocketIoSocket['conn'];

type Transport = EngineSocket['transport'];

/** A namespace that a client is in. */
export interface WritingNamespace {
  /** The route that it is. */
  readonly route: string;
  drained(): void;
}

/** How much a client may ask that does not take the answers. */
const MOST_ASKED_WHILE_FULL = 100;

/**
 * Writes to a client of Engine.IO. Where its transport is a WebSocket and nothing of Engine.IO's waits, whole frames go straight to the
 * operating system; else, and for long polling, messages go the ordinary way, behind what waits there. So what is written here and what
 * is emitted keep their order.
 *
 * One for each client, shared by all of its namespaces.
 */
export class EngineWriter {
  readonly #conn: EngineSocket;
  readonly #maxBufferedBytes: number;
  /** Mostly one: the fewer objects, the less an idle client costs. */
  #users: readonly WritingNamespace[] = [];
  #askedWhileFull = 0;
  /** The socket under the transport, where it is a WebSocket. */
  #socket: Socket | undefined;
  /** Characters that went the ordinary way: all, those that its transport was handed, and those that the client has taken. */
  #written = 0;
  #handed = 0;
  #taken = 0;
  /** The transport that says when it is ready for more, while somebody waits for that. */
  #listening: Transport | undefined;

  constructor(conn: EngineSocket, maxBufferedBytes: number) {
    this.#conn = conn;
    this.#maxBufferedBytes = maxBufferedBytes;
    this.#socket = socketOf(conn.transport);
    if (this.#socket) return;
    conn.on('flush', () => this.#handOver());
    conn.on('upgrade', (transport: Transport) => {
      this.#socket = socketOf(transport);
      this.#listening = undefined;
      // Nobody upgrades before the last answer to a poll has come.
      this.#taken = this.#handed;
      // The transport before it was asked for nothing more, and Engine.IO writes first what it has kept.
      process.nextTick(() => this.#drain());
    });
  }

  get closed(): boolean {
    return this.#conn.readyState !== 'open';
  }

  /**
   * True where more than `maxBufferedBytes` wait, and not already where a client that polls is between two polls, or a packet of Engine.IO
   * is under way: who is emitted to all the time would else never have its turn.
   */
  get full(): boolean {
    const full = this.closed || this.bufferedBytes > this.#limit;
    // Whoever finds it full comes back when told.
    if (full) this.#listen();
    return full;
  }

  /** Bytes that wait for the client to take them. */
  get bufferedBytes(): number {
    return (this.#socket?.writableLength ?? 0) + this.#written - this.#taken;
  }

  /** Bytes that were taken so far. */
  get takenBytes(): number {
    const socket = this.#socket;
    return this.#taken + (socket ? socket.bytesWritten - socket.writableLength : 0);
  }

  /**
   * @param frame WebSocket frames
   * @param texts the same as messages of Engine.IO
   */
  write(frame: Uint8Array, texts: () => readonly string[]): void {
    if (this.closed) return;
    if (this.#socket && this.#conn.transport.writable) return writePiece(this.#socket, frame);
    this.#listen();
    for (const text of texts()) {
      this.#written += text.length;
      this.#conn.write(text);
    }
  }

  /** What goes straight to the operating system waits for {@link EngineWriter.release}. */
  hold(): void {
    this.#socket?.cork();
  }

  release(): void {
    this.#socket?.uncork();
  }

  /** False for a client that asks again and again and does not take the answers. */
  admits(): boolean {
    this.#askedWhileFull = this.full ? this.#askedWhileFull + 1 : 0;
    return this.#askedWhileFull <= MOST_ASKED_WHILE_FULL;
  }

  isIn(route: string): boolean {
    return this.#users.some((user) => user.route === route);
  }

  /** Tells a user each time that what was full may be full no longer. */
  enter(user: WritingNamespace): void {
    // Neither pushed nor spread: an array grows by sixteen places at once.
    this.#users = this.#users.concat(user);
  }

  leave(user: WritingNamespace): void {
    this.#users = this.#users.filter((other) => other !== user);
  }

  /** Below its own mark a socket never says that it has drained. */
  get #limit(): number {
    return Math.max(this.#maxBufferedBytes, this.#socket?.writableHighWaterMark ?? 0);
  }

  /** Until nothing waits any more: a listener costs an idle client more than all else here. */
  #listen(): void {
    const { transport } = this.#conn;
    if (this.#listening === transport) return;
    this.#listening = transport;
    const socket = this.#socket;
    const ready = () => {
      if (transport === this.#conn.transport && (transport.writable || socket))
        this.#handed = this.#taken = this.#written;
      if (this.bufferedBytes === 0 || transport !== this.#conn.transport) {
        transport.off('ready', ready);
        socket?.off('drain', ready);
        if (this.#listening === transport) this.#listening = undefined;
      }
      this.#drain();
    };
    // Engine.IO's own listener comes first and hands over what it has kept; what a socket has not written yet, it counts itself.
    transport.on('ready', ready);
    socket?.on('drain', ready);
  }

  /** Engine.IO hands all that it has kept to its transport: to a WebSocket's buffer, or as the answer to a poll, which says that the last came. */
  #handOver(): void {
    this.#taken = this.#socket ? this.#written : this.#handed;
    this.#handed = this.#written;
  }

  #drain(): void {
    for (const user of this.#users) user.drained();
  }
}

/** What carries the WebSocket of a transport of Engine.IO; undefined for long polling, and where it cannot be found. */
function socketOf(transport: Transport): Socket | undefined {
  return transport.name === 'websocket' ? carrierOf(transport) : undefined;
}
