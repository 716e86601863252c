import {
  type BatchFrame,
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
import { MAX_TIMER_MS } from '../clock.js';
import { errorOfClose, NO_PONG, stateOfClose } from '../gateway-error.js';
import type { Settings } from '../options.js';
import { errorOfAnswer, statusIn } from '../reach/answer.js';
import { webSocketUrl } from '../reach/url.js';
import type { Refused } from './connection-state.js';
import { Liveness } from './liveness.js';
import type { WebSocketEvent, WebSocketLike } from './web-socket.js';

const DEFAULT_HEARTBEAT_MS = 25_000;

/**
 * The time within which `close` must follow `error`, in milliseconds. By the WebSocket standard it follows at once. In
 * Node.js 22 it never follows if the connection could not be opened (https://github.com/nodejs/undici/issues/3546).
 */
const CLOSE_AFTER_ERROR_MS = 100;

export interface ConnectionEnd {
  readonly error: PregonError;
  /** A short form of the error. @default the message of the error */
  readonly reason?: string;
  /** Whether the end is a fault to report, not only a loss. */
  readonly isFault?: boolean;
  /**
   * Set if another attempt would end the same way: the state after a close code of the gateway, or `status` after an HTTP
   * status, which may come from a proxy.
   */
  readonly refusedBy?: Refused | 'status';
}

export interface ConnectionHooks {
  /** Whether the gateway has admitted this client before. */
  readonly wasWelcomed: boolean;
  welcomed(frame: WelcomeFrame): void;
  /** Called for each frame after `welcome`. */
  received(frame: PregonEvent | Exclude<GatewayFrame, BatchFrame>): void;
  /** Called at most once, as the last call, and never after {@link Connection.end}. */
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
  #url: string | undefined;
  #fault = '';
  /** What the attempt waits for. */
  #awaited = 'welcome';
  #cancelCloseWait = () => {};

  constructor(settings: Settings, hooks: ConnectionHooks) {
    this.#settings = settings;
    this.#hooks = hooks;
    const { clock, connectTimeoutMs } = settings;
    this.#cancelTimeout = clock.after(connectTimeoutMs, () =>
      this.#lose(`no ${this.#awaited} within ${connectTimeoutMs} ms`),
    );
    this.#dial();
  }

  /** The URL of the attempt; undefined until it is known. */
  get url(): string | undefined {
    return this.#url;
  }

  /** @throws PregonError FRAME_TOO_LARGE. @throws TypeError if the data is not a JSON value */
  send(frame: ClientFrame): void {
    const text = encodeFrame(frame);
    const { maxFrameBytes } = this.#settings;
    // A UTF-16 unit takes at most three bytes of UTF-8, so short texts need no exact count.
    if (text.length * 3 > maxFrameBytes && new TextEncoder().encode(text).length > maxFrameBytes) {
      throw new PregonError('FRAME_TOO_LARGE', `the frame has more than ${maxFrameBytes} bytes`);
    }
    this.#socket?.send(text);
  }

  /** Pings the gateway, if it has sent its `welcome`. */
  probe(answerMs?: number): void {
    this.#liveness?.probe(answerMs);
  }

  /** Closes the connection from this side. */
  end(code = 1000): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelTimeout();
    this.#cancelCloseWait();
    this.#liveness?.stop();
    // The listeners stay but ignore all events: `ws` throws an error event that has no listener.
    this.#socket?.close(code);
  }

  /** Ends the connection because of a frame of the gateway. */
  fail(error: PregonError): void {
    this.#finish({ error, isFault: true });
  }

  #dial(): void {
    const open = async () => {
      const { url, token } = this.#settings;
      const given = await url();
      this.#awaited = 'token';
      const shown = await token?.();
      this.#awaited = 'welcome';
      if (this.#ended) return;
      this.#url = webSocketUrl(given);
      const socket = new this.#settings.WebSocket(this.#url, SUBPROTOCOL);
      this.#socket = socket;
      // It counts like a token in the handshake, where a page cannot send one.
      if (token) socket.addEventListener('open', () => this.send({ op: 'auth', token: shown ?? null }));
      socket.addEventListener('message', (event) => this.#receive(event.data));
      socket.addEventListener('error', (event) => this.#failed(event));
      socket.addEventListener('close', (event) => this.#closed(event));
    };
    open().catch((cause: unknown) => {
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
      const error = cause instanceof PregonError ? cause : new PregonError('FRAME_INVALID', 'invalid frame', { cause });
      this.fail(error);
      return;
    }
    this.#liveness?.heard();
    if (frame === undefined) return;
    if (this.#liveness !== undefined) this.#handOn(frame);
    else if (!isEvent(frame) && frame.op === 'welcome') this.#welcome(frame);
    else this.fail(new PregonError('FRAME_INVALID', 'the first frame is not a welcome frame'));
  }

  /** Passes on the events of a batch one by one, until a handler ends the connection. */
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
      dead: () => this.#lose(NO_PONG.reason, NO_PONG.code),
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
    this.#finish({ error: errorOfClose(code, reason), isFault: true, refusedBy: stateOfClose(code) });
  }

  #lose(reason: string, code?: number): void {
    const status = statusIn(this.#fault);
    const url = this.#url;
    if (status === undefined || url === undefined) {
      // If `fetch` can find the reason, the error must not yet say that the gateway cannot be reached.
      const isUnreachable = url && !this.#liveness && !this.#settings.fetch;
      const message = isUnreachable ? `${errorOfAnswer(url, 'unreachable').message} (${reason})` : reason;
      return this.#finish({ error: new PregonError('CONNECTION_LOST', message), reason }, code);
    }
    const error = errorOfAnswer(url, { status }, this.#hooks.wasWelcomed);
    this.#finish(error.retryable ? { error } : { error, isFault: true, refusedBy: 'status' });
  }

  #finish(end: ConnectionEnd, code?: number): void {
    if (this.#ended) return;
    this.end(code);
    this.#hooks.ended(end);
  }
}
