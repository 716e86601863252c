import { CLOSE_CODES, encodeFrame, type SUBPROTOCOL } from '@pregon/protocol';
import { within } from '../../core/time/deadline.js';
import { type Failure, NOT_SUBSCRIBED } from '../failure.js';
import { LeanSocket } from './lean-socket.js';
import type { LoadSocket } from './load-socket.js';
import { StockSocket } from './stock-socket.js';

/** The options that all connections are opened with. */
export interface ConnectionTarget {
  readonly url: string;
  /** @default plain WebSocket */
  readonly subprotocol?: typeof SUBPROTOCOL | undefined;
  readonly origin?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Whether compression is offered. */
  readonly compress: boolean;
  /** How long a handshake may take, and then the answer to the first subscription. */
  readonly handshakeTimeoutMs: number;
}

export interface ConnectionEvents {
  /** Frames from now on are live, or follow the given position. */
  opened(handshakeMs: number): void;
  /** An attempt to connect failed. */
  failed(failure: Failure): void;
  /** An open connection was closed. */
  lost(failure: Failure): void;
  /** The position could not be served; the connection continues with live events. */
  reset(): void;
  frame(bytes: Buffer): void;
}

/** A connection that can be reopened any number of times, and resumes at its last position. */
export class LoadConnection {
  /** The position of the last event or control frame; undefined before the first. */
  position: string | undefined;
  readonly #target: ConnectionTarget;
  readonly #topics: readonly string[] | undefined;
  readonly #events: ConnectionEvents;
  #socket: LoadSocket | undefined;
  /** Resolves a pending {@link close}. */
  #closed: (() => void) | undefined;
  /** Runs from the end of the handshake until the connection is open. */
  #late: NodeJS.Timeout | undefined;
  #open = false;
  #startedAt = 0;
  /** After how many milliseconds a draining gateway wants this connection to reconnect. */
  #returnMs: number | undefined;

  constructor(target: ConnectionTarget, topics: readonly string[] | undefined, events: ConnectionEvents) {
    this.#target = target;
    this.#topics = topics;
    this.#events = events;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Makes one attempt to connect; `opened` or `failed` reports the result. */
  open(): void {
    this.#startedAt = performance.now();
    const { subprotocol, origin, headers, compress, handshakeTimeoutMs } = this.#target;
    const url = this.#url();
    const request = { url, subprotocol, origin, headers, handshakeTimeoutMs };
    const events = {
      opened: () => {
        if (this.#socket !== socket) return;
        if (subprotocol === undefined) this.#begin();
        else this.#late = setTimeout(() => this.#giveUp(NOT_SUBSCRIBED), handshakeTimeoutMs);
      },
      frame: (bytes: Buffer) => {
        if (this.#socket === socket) this.#hear(bytes);
      },
      ended: (failure: Failure) => this.#end(socket, failure),
    };
    const lean = url.protocol === 'ws:' && !compress;
    const socket = lean ? new LeanSocket(request, events) : new StockSocket({ ...request, compress }, events);
    this.#socket = socket;
  }

  /** Drops the connection without a close handshake, as a network failure does. No event is reported. */
  drop(): void {
    this.#forget()?.terminate();
  }

  /** Closes the connection with a close handshake. No event is reported. */
  async close(timeoutMs: number): Promise<void> {
    const socket = this.#forget();
    if (!socket) return;
    const closed = new Promise<void>((resolve) => {
      this.#closed = resolve;
    });
    socket.close();
    await within(timeoutMs, closed, () => {
      socket.terminate();
      return closed;
    });
  }

  #forget(): LoadSocket | undefined {
    const socket = this.#socket;
    clearTimeout(this.#late);
    this.#socket = undefined;
    this.#open = false;
    return socket;
  }

  #url(): URL {
    const url = new URL(this.#target.url);
    if (this.#target.subprotocol !== undefined) return url;
    if (this.#topics) url.searchParams.set('topics', this.#topics.join(','));
    if (this.position !== undefined) url.searchParams.set('since', this.position);
    return url;
  }

  #begin(): void {
    clearTimeout(this.#late);
    this.#open = true;
    this.#events.opened(performance.now() - this.#startedAt);
  }

  #end(socket: LoadSocket, failure: Failure): void {
    if (this.#socket !== socket) {
      this.#closed?.();
      return;
    }
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

  /** @returns false if the frame is not a control frame that concerns the connection */
  #control(data: Buffer): boolean {
    const frame = parse(data);
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
    this.#giveUp({ reason: `refused: ${textOf(frame['message']) ?? '?'}`, retry: frame['retryable'] === true });
  }

  #giveUp(failure: Failure): void {
    const socket = this.#socket;
    if (!socket) return;
    this.#end(socket, failure);
    socket.close();
  }
}

/** Control frames start with `{"op":…`; events start with another attribute. */
function isControl(data: Buffer): boolean {
  return data[2] === 0x6f && data[3] === 0x70 && data[4] === 0x22;
}

/** Undefined if the data is not JSON. */
function parse(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'));
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
