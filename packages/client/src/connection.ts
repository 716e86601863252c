import {
  type BatchFrame,
  CLOSE_CODES,
  type ClientFrame,
  decodeGatewayFrame,
  encodeFrame,
  type GatewayFrame,
  isEvent,
  mayReconnect,
  PregonError,
  type PregonEvent,
  SUBPROTOCOL,
  type WelcomeFrame,
} from '@pregon/protocol';
import { MAX_TIMER_MS } from './clock.js';
import { errorOfClose } from './gateway-error.js';
import { Liveness } from './liveness.js';
import type { Settings } from './options.js';
import type { WebSocketEvent, WebSocketLike } from './web-socket.js';

const DEFAULT_HEARTBEAT_MS = 25_000;

/**
 * How long `close` may follow `error`, in milliseconds. By the WebSocket standard it always does, and at once; in Node 22 it does not where
 * the connection could not be opened (https://github.com/nodejs/undici/issues/3546).
 */
const CLOSE_AFTER_ERROR_MS = 100;

export interface ConnectionEnd {
  readonly reason: string;
  /** Whether another attempt makes sense. */
  readonly mayReconnect: boolean;
  /** Set where the end is a fault that somebody should hear of, and no mere loss. */
  readonly error?: PregonError;
}

export interface ConnectionHooks {
  welcomed(frame: WelcomeFrame): void;
  /** Each frame after `welcome`. */
  received(frame: PregonEvent | Exclude<GatewayFrame, BatchFrame>): void;
  /** Called once, and never after {@link Connection.end}; nothing is called after it. */
  ended(end: ConnectionEnd): void;
}

/** One connection, from the attempt to its end. */
export class Connection {
  readonly #settings: Settings;
  readonly #hooks: ConnectionHooks;
  readonly #cancelTimeout: () => void;
  #socket: WebSocketLike | undefined;
  #liveness: Liveness | undefined;
  #ended = false;
  #fault = '';
  #cancelCloseWait = () => {};

  constructor(settings: Settings, hooks: ConnectionHooks) {
    this.#settings = settings;
    this.#hooks = hooks;
    const { clock, connectTimeoutMs } = settings;
    this.#cancelTimeout = clock.after(connectTimeoutMs, () => this.#lose(`no welcome within ${connectTimeoutMs} ms`));
    this.#dial();
  }

  /** @throws PregonError FRAME_TOO_LARGE. @throws TypeError where the data is no JSON value. */
  send(frame: ClientFrame): void {
    const text = encodeFrame(frame);
    const { maxFrameBytes } = this.#settings;
    // A UTF-16 unit is at most three bytes of UTF-8, so short texts need no count.
    if (text.length * 3 > maxFrameBytes && new TextEncoder().encode(text).length > maxFrameBytes) {
      throw new PregonError('FRAME_TOO_LARGE', `more than ${maxFrameBytes} bytes in one frame`);
    }
    this.#socket?.send(text);
  }

  /** Asks the gateway for a sign of life, if the connection is welcomed yet. */
  probe(answerMs?: number): void {
    this.#liveness?.probe(answerMs);
  }

  /** Ends it on our side. */
  end(code = 1000): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelTimeout();
    this.#cancelCloseWait();
    this.#liveness?.stop();
    // The listeners stay, deaf: `ws` throws an error event that has no listener.
    this.#socket?.close(code);
  }

  /** Ends it because of what the gateway sent. */
  fail(error: PregonError): void {
    this.#finish({ reason: error.message, mayReconnect: true, error });
  }

  #dial(): void {
    const open = (url: string) => {
      if (this.#ended) return;
      const socket = new this.#settings.WebSocket(url, SUBPROTOCOL);
      this.#socket = socket;
      socket.addEventListener('message', (event) => this.#receive(event.data));
      socket.addEventListener('error', (event) => this.#failed(event));
      socket.addEventListener('close', (event) => this.#closed(event));
    };
    new Promise<string>((resolve) => resolve(this.#settings.url())).then(open).catch((cause: unknown) => {
      this.fail(new PregonError('CONNECTION_LOST', 'the connection could not be opened', { cause }));
    });
  }

  #receive(data: unknown): void {
    if (this.#ended) return;
    let frame: PregonEvent | GatewayFrame | undefined;
    try {
      if (typeof data !== 'string') throw new PregonError('FRAME_INVALID', 'the gateway sent a binary frame');
      frame = decodeGatewayFrame(data);
    } catch (cause) {
      const error = cause instanceof PregonError ? cause : new PregonError('FRAME_INVALID', 'no frame', { cause });
      this.fail(error);
      return;
    }
    this.#liveness?.heard();
    if (frame === undefined) return;
    if (this.#liveness !== undefined) this.#handOn(frame);
    else if (!isEvent(frame) && frame.op === 'welcome') this.#welcome(frame);
    else this.fail(new PregonError('FRAME_INVALID', 'the first frame was not welcome'));
  }

  /** The events of a batch one by one, up to the one whose handler ended the connection. */
  #handOn(frame: PregonEvent | GatewayFrame): void {
    if (isEvent(frame) || frame.op !== 'batch') return this.#hooks.received(frame);
    for (const event of frame.events) if (!this.#ended) this.#hooks.received(event);
  }

  #welcome(frame: WelcomeFrame): void {
    this.#cancelTimeout();
    const { clock, pingIntervalMs } = this.#settings;
    const heartbeatMs = frame.heartbeatMs > 0 ? Math.min(frame.heartbeatMs, MAX_TIMER_MS) : DEFAULT_HEARTBEAT_MS;
    this.#liveness = new Liveness(clock, pingIntervalMs ?? heartbeatMs, {
      ping: () => this.send({ op: 'ping' }),
      dead: () => this.#lose(CLOSE_CODES.HEARTBEAT_MISSED.reason, CLOSE_CODES.HEARTBEAT_MISSED.code),
    });
    this.#hooks.welcomed(frame);
  }

  #failed({ message = '' }: WebSocketEvent): void {
    if (this.#ended) return;
    this.#fault = message;
    this.#cancelCloseWait();
    this.#cancelCloseWait = this.#settings.clock.after(CLOSE_AFTER_ERROR_MS, () => {
      this.#lose(message || 'the connection failed');
    });
  }

  #closed({ code = 1006, reason = '' }: WebSocketEvent): void {
    if (mayReconnect(code)) {
      this.#lose(reason || this.#fault || `the connection ended (${code})`);
      return;
    }
    const error = errorOfClose(code, reason);
    this.#finish({ reason: error.message, mayReconnect: false, error });
  }

  #lose(reason: string, code?: number): void {
    this.#finish({ reason, mayReconnect: true }, code);
  }

  #finish(end: ConnectionEnd, code?: number): void {
    if (this.#ended) return;
    this.end(code);
    this.#hooks.ended(end);
  }
}
