import type { IncomingMessage } from 'node:http';
import { CLOSE_CODES, encodeFrame, type SUBPROTOCOL } from '@pregon/protocol';
import { type ClientOptions, WebSocket } from 'ws';
import { type Failure, failureOf, failureOfClose, failureOfStatus } from './failure.js';

const HANDSHAKE_TIMEOUT_MS = 15_000;

/** What connections are opened with, the same for all. */
export interface ConnectionTarget {
  readonly url: string;
  /** @default plain WebSocket */
  readonly subprotocol?: typeof SUBPROTOCOL | undefined;
  readonly origin?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Whether compression is offered. */
  readonly compress: boolean;
}

export interface ConnectionEvents {
  /** What comes from now on is live, or follows the position that was handed in. */
  opened(handshakeMs: number): void;
  /** An attempt has failed. */
  failed(failure: Failure): void;
  /** It was open, and is no more. */
  lost(failure: Failure): void;
  /** The position could not be served; the connection goes on live. */
  reset(): void;
  frame(bytes: Buffer): void;
}

/** A connection that can be opened again and again, and resumes each time where it was. */
export class LoadConnection {
  /** Of the last event, or of what the gateway said; undefined before. */
  position: string | undefined;
  readonly #target: ConnectionTarget;
  readonly #topics: readonly string[] | undefined;
  readonly #events: ConnectionEvents;
  #socket: WebSocket | undefined;
  #open = false;
  #startedAt = 0;
  /** When a gateway that goes away wants this connection to come back, from then on. */
  #returnMs: number | undefined;

  constructor(target: ConnectionTarget, topics: readonly string[] | undefined, events: ConnectionEvents) {
    this.#target = target;
    this.#topics = topics;
    this.#events = events;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** One attempt; `opened` or `failed` tells how it went. */
  open(): void {
    const { subprotocol } = this.#target;
    this.#startedAt = performance.now();
    const socket = new WebSocket(this.#url(), subprotocol === undefined ? [] : [subprotocol], this.#options());
    this.#socket = socket;
    let failure: Failure | undefined;
    if (subprotocol === undefined) socket.on('open', () => this.#begin());
    socket.on('message', (data) => {
      if (Buffer.isBuffer(data) && this.#socket === socket) this.#hear(data);
    });
    socket.on('unexpected-response', (request, response) => {
      this.#end(socket, readAnswer(response));
      request.destroy();
    });
    socket.on('error', (error) => {
      failure ??= failureOf(error);
    });
    socket.on('close', (code, reason) => {
      // An error after the handshake is one of the protocol or the network, and says more than 1006 does.
      this.#end(socket, failure ?? failureOfClose(code, reason.toString()));
    });
  }

  /** Breaks it off without a goodbye, as a network that fails does; nothing is told. */
  drop(): void {
    const socket = this.#forget();
    socket?.terminate();
  }

  /** Ends it with a goodbye; nothing is told. */
  async close(timeoutMs: number): Promise<void> {
    const socket = this.#forget();
    if (!socket) return;
    const closed = new Promise<void>((resolve) => {
      socket.on('close', () => resolve());
    });
    socket.close(1000);
    const late = setTimeout(() => socket.terminate(), timeoutMs);
    await closed;
    clearTimeout(late);
  }

  #forget(): WebSocket | undefined {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#open = false;
    return socket;
  }

  #url(): string {
    const { url, subprotocol } = this.#target;
    if (subprotocol !== undefined) return url;
    const target = new URL(url);
    if (this.#topics) target.searchParams.set('topics', this.#topics.join(','));
    if (this.position !== undefined) target.searchParams.set('since', this.position);
    return target.href;
  }

  #options(): ClientOptions {
    const { origin, headers, compress } = this.#target;
    return {
      perMessageDeflate: compress,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      // What is compared is bytes; a gateway that sends no UTF-8 would show by a fingerprint that differs.
      skipUTF8Validation: true,
      ...(origin === undefined ? {} : { origin }),
      ...(headers === undefined ? {} : { headers }),
    };
  }

  #begin(): void {
    this.#open = true;
    this.#events.opened(performance.now() - this.#startedAt);
  }

  #end(socket: WebSocket, failure: Failure): void {
    if (this.#socket !== socket) return;
    const wasOpen = this.#open;
    this.#forget();
    if (failure.reason.startsWith(`closed with ${CLOSE_CODES.RESET.code}`)) this.#reset();
    const told = this.#returnMs === undefined ? failure : { ...failure, afterMs: this.#returnMs };
    this.#returnMs = undefined;
    if (wasOpen) this.#events.lost(told);
    else this.#events.failed(told);
  }

  #reset(): void {
    this.position = undefined;
    this.#events.reset();
  }

  #hear(data: Buffer): void {
    if (this.#target.subprotocol === undefined || !isControl(data) || !this.#control(data)) this.#events.frame(data);
  }

  /** @returns false where it is none that concerns the connection */
  #control(data: Buffer): boolean {
    const frame: unknown = JSON.parse(data.toString('utf8'));
    if (!isRecord(frame) || 'specversion' in frame) return false;
    switch (frame['op']) {
      case 'welcome':
        this.#socket?.send(
          encodeFrame({ op: 'subscribe', id: 1, topics: this.#topics && [...this.#topics], since: this.position }),
        );
        return true;
      case 'subscribed':
        this.position = textOf(frame['position']) ?? this.position;
        if (!this.#open) this.#begin();
        return true;
      case 'checkpoint':
        this.position = textOf(frame['position']) ?? this.position;
        return true;
      case 'reset':
        this.#reset();
        return true;
      case 'error':
        this.#refused(frame);
        return true;
      case 'draining':
        if (typeof frame['reconnectInMs'] === 'number') this.#returnMs = frame['reconnectInMs'];
        return true;
      default:
        return false;
    }
  }

  #refused(frame: Record<string, unknown>): void {
    const socket = this.#socket;
    if (!socket) return;
    this.#end(socket, { reason: `refused: ${textOf(frame['message']) ?? '?'}`, retry: frame['retryable'] === true });
    socket.close(1000);
  }
}

/** `{"op":…`: events begin with another attribute. */
function isControl(data: Buffer): boolean {
  return data[2] === 0x6f && data[3] === 0x70 && data[4] === 0x22;
}

function readAnswer(response: IncomingMessage): Failure {
  response.resume();
  const { statusCode = 0, statusMessage = '', headers } = response;
  return failureOfStatus(statusCode, statusMessage, headers['retry-after']);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
