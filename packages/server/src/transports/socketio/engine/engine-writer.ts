import type { Socket } from 'node:net';
import type { Socket as SocketIoSocket } from 'socket.io';
import { carrierOf } from '../../../private-fields/engine-io.js';
import { writePiece } from '../../sockets/write-piece.js';

/** A client of Engine.IO, which may be in several namespaces. */
export type EngineSocket = SocketIoSocket['conn'];

type Transport = EngineSocket['transport'];

/** A namespace that the client is in. */
export interface WritingNamespace {
  /** The name of its route. */
  readonly route: string;
  drained(): void;
}

/** How many requests in a row a client may send while it does not take the answers. */
const MOST_ASKED_WHILE_FULL = 100;

/**
 * Writes to a client of Engine.IO. If its transport is a WebSocket and nothing waits in Engine.IO, whole frames go
 * directly to the operating system. Otherwise, and for long polling, messages go through Engine.IO, behind what waits
 * there. So frames that are written here and packets that the application emits keep their order.
 *
 * There is one writer for each client, shared by all its namespaces.
 */
export class EngineWriter {
  readonly #conn: EngineSocket;
  readonly #maxBufferedBytes: number;
  /** Usually one. A plain array instead of a set: fewer objects make an idle client cheaper. */
  #users: readonly WritingNamespace[] = [];
  #askedWhileFull = 0;
  /** The socket under the transport, if the transport is a WebSocket. */
  #socket: Socket | undefined;
  /**
   * Characters that went through Engine.IO: all of them, those passed to its transport, and those that the client has
   * taken.
   */
  #written = 0;
  #handed = 0;
  #taken = 0;
  /** The transport on whose readiness this writer waits. */
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
      // A client upgrades only after the last answer to a poll has arrived.
      this.#taken = this.#handed;
      // The former transport gets nothing more, and Engine.IO first writes what it has buffered.
      process.nextTick(() => this.#drain());
    });
  }

  get closed(): boolean {
    return this.#conn.readyState !== 'open';
  }

  /**
   * True if more than `maxBufferedBytes` wait. It must not already be true between two polls, or while Engine.IO writes
   * a packet: a client that the application emits to all the time would then never get its events.
   */
  get full(): boolean {
    const full = this.closed || this.bufferedBytes > this.#limit;
    // The caller waits for {@link WritingNamespace.drained}.
    if (full) this.#listen();
    return full;
  }

  /** Bytes that wait for the client. */
  get bufferedBytes(): number {
    return (this.#socket?.writableLength ?? 0) + this.#written - this.#taken;
  }

  /** Bytes that the client or the operating system has taken so far. */
  get takenBytes(): number {
    const socket = this.#socket;
    return this.#taken + (socket ? socket.bytesWritten - socket.writableLength : 0);
  }

  /**
   * @param frame WebSocket frames
   * @param texts returns the same messages as texts of Engine.IO
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

  /** Delays direct writes to the socket until {@link EngineWriter.release}. */
  hold(): void {
    this.#socket?.cork();
  }

  release(): void {
    this.#socket?.uncork();
  }

  /** Returns false if a client keeps sending requests without taking the answers. */
  admits(): boolean {
    this.#askedWhileFull = this.full ? this.#askedWhileFull + 1 : 0;
    return this.#askedWhileFull <= MOST_ASKED_WHILE_FULL;
  }

  isIn(route: string): boolean {
    return this.#users.some((user) => user.route === route);
  }

  /** Adds a namespace, which is notified each time that a full writer may have drained. */
  enter(user: WritingNamespace): void {
    // `push` and spread would reserve sixteen places in the array; `concat` does not.
    this.#users = this.#users.concat(user);
  }

  leave(user: WritingNamespace): void {
    this.#users = this.#users.filter((other) => other !== user);
  }

  /** A socket emits `drain` only if its own high-water mark was exceeded, so the limit must not be below that. */
  get #limit(): number {
    return Math.max(this.#maxBufferedBytes, this.#socket?.writableHighWaterMark ?? 0);
  }

  /**
   * Listens until nothing waits any more. A permanent listener would cost an idle client more than all the rest of this
   * object.
   */
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
    // The listener of Engine.IO comes first and passes on what it has buffered. Bytes that the socket has not written
    // yet are counted by the socket.
    transport.on('ready', ready);
    socket?.on('drain', ready);
  }

  /**
   * Called when Engine.IO passes its buffered packets to the transport: to the buffer of a WebSocket, or as the answer
   * to a poll. A new poll shows that the previous answer has arrived.
   */
  #handOver(): void {
    this.#taken = this.#socket ? this.#written : this.#handed;
    this.#handed = this.#written;
  }

  #drain(): void {
    for (const user of this.#users) user.drained();
  }
}

/** The socket under a WebSocket transport; undefined for long polling, and if the socket cannot be found. */
function socketOf(transport: Transport): Socket | undefined {
  return transport.name === 'websocket' ? carrierOf(transport) : undefined;
}
