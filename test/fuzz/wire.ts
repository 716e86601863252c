import { connect, type Socket } from 'node:net';
import type { Session } from './session.js';

/** How many bytes from the gateway are kept, for `until` to search. */
const KEPT_BYTES = 65_536;

/** Connections of all sessions that are left open without being read, oldest first. */
const abandoned = new Set<Socket>();
const MAX_ABANDONED = 150;

/**
 * A TCP connection that may break every rule. Its methods never throw: if the gateway closes the connection, that is no
 * fault.
 */
export class Wire {
  readonly number: number;
  /** Resolves when the connection is established, or has failed. */
  readonly connected: Promise<void>;
  readonly #socket: Socket;
  readonly #session: Session;
  #received = Buffer.alloc(0);
  #isClosed = false;
  isAbandoned = false;
  isReading = true;
  readonly #waiting = new Set<() => void>();

  constructor(session: Session, number: number, { port, address }: { port: number; address: string }) {
    this.#session = session;
    this.number = number;
    const socket = connect({ port, host: '127.0.0.1', localAddress: address, allowHalfOpen: true, noDelay: true });
    this.#socket = socket;
    this.connected = new Promise((resolve) => socket.once('connect', resolve).once('close', () => resolve()));
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      const all = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
      this.#received = all.length > 2 * KEPT_BYTES ? all.subarray(-KEPT_BYTES) : all;
      this.#changed();
    });
    const ended = () => {
      this.#isClosed = true;
      this.#changed();
    };
    socket.on('end', ended).on('close', ended);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get text(): string {
    return this.#received.toString('latin1');
  }

  /** Sends bytes that are not an input, such as a valid handshake. */
  write(data: string | Buffer): void {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    this.#session.record({ wire: this.number, write: '' }, bytes);
    if (!this.#socket.destroyed && this.#socket.writable) this.#socket.write(bytes);
  }

  /** Sends an input, in one piece or cut at random places, so that the gateway reads the pieces in separate turns. */
  async input(data: string | Buffer): Promise<void> {
    const { random } = this.#session;
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    this.#session.inputs += 1;
    if (bytes.length < 2 || random.chance(0.93)) return this.write(bytes);
    const cuts = Array.from({ length: random.integer(1, 5) }, () => random.integer(1, bytes.length - 1));
    let from = 0;
    for (const to of [...cuts.sort((a, b) => a - b), bytes.length]) {
      this.write(bytes.subarray(from, to));
      from = to;
      await pause(random.chance(0.2) ? random.integer(1, 20) : 0);
    }
  }

  /** Discards the received bytes. */
  forget(): void {
    this.#received = Buffer.alloc(0);
  }

  /** Whether a text arrived in time, before the gateway closed the connection. */
  until(text: string, deadlineMs = 1_000): Promise<boolean> {
    return this.untilSo(() => this.#received.includes(text, 0, 'latin1'), deadlineMs);
  }

  untilSo(isSo: () => boolean, deadlineMs = 1_000): Promise<boolean> {
    return new Promise((resolve) => {
      const look = () => {
        if (isSo()) return settle(true);
        if (this.#isClosed) settle(false);
      };
      const settle = (value: boolean) => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve(value);
      };
      const timer = setTimeout(() => settle(false), deadlineMs);
      this.#waiting.add(look);
      look();
    });
  }

  /** Waits for the gateway to close the connection. */
  whenClosed(deadlineMs: number): Promise<boolean> {
    return this.untilSo(() => this.#isClosed, deadlineMs);
  }

  pauseReading(): void {
    this.isReading = false;
    this.#socket.pause();
  }

  finish(): void {
    this.#session.record({ wire: this.number, close: 'fin' });
    this.#socket.end();
  }

  reset(): void {
    if (this.#socket.destroyed) return;
    this.#session.record({ wire: this.number, close: 'reset' });
    reset(this.#socket);
  }

  /** Leaves the connection open without reading; it is reset when enough others were abandoned. */
  abandon(): void {
    this.isAbandoned = true;
    this.#socket.pause();
    abandoned.add(this.#socket);
    const [oldest] = abandoned;
    if (oldest && abandoned.size > MAX_ABANDONED) {
      abandoned.delete(oldest);
      reset(oldest);
    }
  }

  /** Ends the connection in one of the possible ways. */
  async end(): Promise<void> {
    const { random } = this.#session;
    const way = random.integer(0, 9);
    if (way < 4) return this.reset();
    if (way === 4) return this.abandon();
    this.finish();
    if (way < 7) await this.whenClosed(200);
    this.reset();
  }

  #changed(): void {
    for (const look of [...this.#waiting]) look();
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => (ms === 0 ? setImmediate(resolve) : setTimeout(resolve, ms)));
}

/** Ends all connections that were left open. */
export function endAbandoned(): void {
  for (const socket of abandoned) reset(socket);
  abandoned.clear();
}

/** A socket with a pending FIN cannot be reset (libuv's uv_tcp_close_reset), and Node.js would never close it. */
function reset(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy();
  else socket.resetAndDestroy();
}
