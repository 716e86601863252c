import type { Socket } from 'node:net';
import { CLOSE_CODES, type CloseCode, toError } from '@pregon/protocol';
import type { RawData } from 'ws';
import type { Expiring } from '../../core/connections/expiry.js';
import { Liveness, type Pulse } from '../../core/connections/liveness.js';
import type { Identity } from '../../core/ports/admission.js';
import { isPromiseLike } from '../../core/promise-like.js';
import type { Clock } from '../../core/time/clock.js';
import { closeReason } from '../sockets/closing.js';
import type { PacedSocket } from '../sockets/paced-socket.js';
import { SocketWriter } from '../sockets/socket-writer.js';
import type { ComponentConnection, ComponentRequest } from './component-connection.js';
import type { MessageComponent } from './message-component.js';

/** The most pending calls for one client before nothing more is read from it. */
const MAX_UNSETTLED = 100;

export interface WebSocketConnectionOptions {
  readonly id: string;
  readonly request: ComponentRequest;
  readonly identity: Identity | undefined;
  /** When the rights of the identity end, by the clock; undefined if they do not. */
  readonly expiresAt: number | undefined;
  readonly component: MessageComponent;
  readonly maxBufferedBytes: number;
  readonly clock: Clock;
  /** Called if `onError` itself throws or rejects. */
  readonly onBroken: (connection: ComponentConnection, error: Error) => void;
}

/** The connection of one component client. At most `maxBufferedBytes` and one more message are buffered for it. */
export class WebSocketConnection implements ComponentConnection, Expiring {
  readonly id: string;
  readonly request: ComponentRequest;
  readonly identity: Identity | undefined;
  readonly expiresAt: number | undefined;
  readonly #client: PacedSocket;
  readonly #writer: SocketWriter;
  readonly #options: WebSocketConnectionOptions;
  readonly #liveness: Liveness;
  readonly #pulse: Pulse;
  #unsettled = 0;
  #hasExpired = false;

  constructor(client: PacedSocket, socket: Socket, options: WebSocketConnectionOptions) {
    this.id = options.id;
    this.request = options.request;
    this.identity = options.identity;
    this.expiresAt = options.expiresAt;
    this.#client = client;
    this.#writer = new ClientWriter(client, socket, options.maxBufferedBytes);
    this.#options = options;
    this.#liveness = new Liveness(options.clock.now());
    this.#pulse = pulseOf(client, this.#writer);
  }

  get remoteAddress(): string {
    return this.request.remoteAddress;
  }

  get subprotocol(): string | undefined {
    return this.#client.protocol === '' ? undefined : this.#client.protocol;
  }

  get isOpen(): boolean {
    return !this.#writer.closed;
  }

  /** Omits the request, whose headers hold secrets, so that the connection can be logged. */
  toJSON(): { id: string; path: string; remoteAddress: string } {
    return { id: this.id, path: this.request.path, remoteAddress: this.remoteAddress };
  }

  send(data: unknown): boolean {
    if (this.#hasExpired) return false;
    const bytes = data instanceof Uint8Array;
    const payload = bytes || typeof data === 'string' ? data : (JSON.stringify(data) ?? 'null');
    if (this.#writer.full) {
      this.end(CLOSE_CODES.STALLED, `more than ${this.#options.maxBufferedBytes} bytes wait to be read`);
      return false;
    }
    this.#client.send(payload, { binary: bytes });
    return true;
  }

  close(code = 1000, reason = ''): void {
    if (!isSendable(code))
      throw new RangeError(`a server may not send the close code ${code}: use 1000, or 3000 to 4999`);
    this.end({ code, reason, reconnect: true });
  }

  /** Sends a close frame; waiting data is still sent if the client reads it within a short time. */
  end(code: CloseCode, reason?: string): void {
    if (!this.isOpen) return;
    this.#writer.shut();
    this.#client.dismiss(code.code, closeReason(code, reason));
  }

  opened(): void {
    this.#call(() => this.#options.component.onOpen(this));
  }

  received(data: RawData, isBinary: boolean): void {
    this.heard();
    // After the component has closed the connection, or the rights have ended, later messages are dropped.
    if (!this.isOpen || this.#hasExpired) return;
    const bytes = toBuffer(data);
    this.#call(() => this.#options.component.onMessage(this, isBinary ? bytes : bytes.toString()));
  }

  closed(code: number, reason: string): void {
    this.#writer.shut();
    this.#call(() => this.#options.component.onClose(this, { code, reason }));
  }

  /** Reports a sign of life of the client. */
  heard(): void {
    this.#liveness.heard(this.#options.clock.now(), this.#writer.takenBytes);
  }

  failed(error: Error): void {
    try {
      const answer = this.#options.component.onError(this, error);
      if (isPromiseLike(answer)) Promise.resolve(answer).catch((cause: unknown) => this.#broken(cause));
    } catch (cause) {
      this.#broken(cause);
    }
  }

  /**
   * Called every `heartbeatMs`. Closes the connection if the client gives no sign of life, or takes none of the waiting
   * bytes.
   */
  heartbeat(now: number, heartbeatMs: number, stallTimeoutMs: number): void {
    if (!this.isOpen) return;
    const verdict = this.#liveness.look(this.#pulse, now, heartbeatMs, stallTimeoutMs);
    if (verdict === 'HEARTBEAT_MISSED' || verdict === 'STALLED') this.end(CLOSE_CODES[verdict]);
  }

  endRights(): void {
    this.#hasExpired = true;
  }

  closeEnded(code: CloseCode): void {
    // Data that waits was sent under rights that have ended. Not even a close frame can pass it.
    if (this.isOpen && this.#writer.bufferedBytes > 0) this.#client.terminate();
    else this.end(code);
  }

  #call(call: () => unknown): void {
    try {
      const answer = call();
      if (isPromiseLike(answer)) void this.#settle(answer);
    } catch (error) {
      this.failed(toError(error));
    }
  }

  async #settle(answer: PromiseLike<unknown>): Promise<void> {
    this.#unsettled += 1;
    if (this.#unsettled === MAX_UNSETTLED && this.isOpen) this.#client.pause();
    try {
      await answer;
    } catch (error) {
      this.failed(toError(error));
    }
    this.#unsettled -= 1;
    if (this.#unsettled === MAX_UNSETTLED - 1) this.#client.resume();
  }

  #broken(cause: unknown): void {
    this.#options.onBroken(this, toError(cause));
    this.end(CLOSE_CODES.INTERNAL_ERROR);
  }
}

/** Measures how much of the data that `ws` has written still waits. */
class ClientWriter extends SocketWriter {
  readonly #client: PacedSocket;

  constructor(client: PacedSocket, socket: Socket, maxBufferedBytes: number) {
    super(socket, maxBufferedBytes);
    this.#client = client;
  }

  protected override get isOpen(): boolean {
    return this.#client.readyState === this.#client.OPEN;
  }

  protected override drained(): void {
    // Nothing waits for a drain: a connection that is full is closed.
  }
}

function pulseOf(client: PacedSocket, writer: SocketWriter): Pulse {
  return {
    get bufferedBytes() {
      return writer.bufferedBytes;
    },
    get takenBytes() {
      return writer.takenBytes;
    },
    ping() {
      client.ping();
      return true;
    },
  };
}

/** RFC 6455 section 7.4: registered codes, except those that no close frame may contain, and codes for applications. */
function isSendable(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  return (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);
}

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
