import type { ClientFrame, GatewayFrame, PregonError, PregonEvent } from '@pregon/protocol';
import { Backoff } from './backoff.js';
import { MAX_TIMER_MS } from './clock.js';
import { Connection, type ConnectionEnd } from './connection.js';
import {
  type ConnectionEvent,
  type ConnectionState,
  holdsConnection,
  isConnected,
  NEXT_STATE,
} from './connection-state.js';
import type { Settings } from './options.js';

/** A connection that stayed for so long, in milliseconds, was a good one: the next loss begins with short delays again. */
const STABLE_MS = 10_000;

/** How long a gateway may take to answer, in milliseconds, when the platform says that the network is gone. */
const NETWORK_DOWN_ANSWER_MS = 2_000;

export interface StateChange {
  readonly state: ConnectionState;
  /** In `waiting` and `offline`: when the next attempt is made, in milliseconds since the Unix epoch. */
  readonly retryAt?: number;
  /** Why the connection was lost or closed. */
  readonly reason?: string;
}

export interface ConnectorHooks {
  changed(change: StateChange): void;
  /** A connection is there; frames can be sent. */
  connected(): void;
  received(frame: PregonEvent | GatewayFrame): void;
  /** The connection is gone, and with it what was under way on it. */
  disconnected(): void;
  /** It ended by a fault. In state `closed` this is the gateway's refusal. */
  failed(error: PregonError): void;
}

/** Keeps one connection open: runs the state table, one connection at a time, and the delays between them. */
export class Connector {
  readonly #settings: Settings;
  readonly #hooks: ConnectorHooks;
  readonly #backoff: Backoff;
  #state: ConnectionState = 'connecting';
  #connection: Connection | undefined;
  #connectionId: string | undefined;
  #connectedAt = 0;
  /** When a draining gateway wants us back. */
  #comeBackAt: number | undefined;
  #retryAt: number | undefined;
  #cancelTimer = () => {};
  #stopObserving = () => {};

  constructor(settings: Settings, hooks: ConnectorHooks) {
    this.#settings = settings;
    this.#hooks = hooks;
    this.#backoff = new Backoff(settings.reconnect, settings.random);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get retryAt(): number | undefined {
    return this.#retryAt;
  }

  get connectionId(): string | undefined {
    return this.#connectionId;
  }

  start(): void {
    this.#stopObserving = this.#settings.connectivity.observe({
      up: () => this.#networkUp(),
      down: () => {
        this.#connection?.probe(NETWORK_DOWN_ANSWER_MS);
        this.dispatch('networkDown');
      },
      woken: () => {
        this.#connection?.probe();
        this.dispatch('woken');
      },
    });
    this.#open();
  }

  /** Sends a frame, where there is a connection. @returns whether there was one. @throws PregonError FRAME_TOO_LARGE */
  send(frame: ClientFrame): boolean {
    if (!isConnected(this.#state) || this.#connection === undefined) return false;
    this.#connection.send(frame);
    return true;
  }

  /** Ends the connection, because of what came over it, and tries again. */
  fail(error: PregonError): void {
    this.#connection?.fail(error);
  }

  /** Keeps the connection until a draining gateway wants us back, or until it closes, whichever is first. */
  leave(reconnectInMs: number): void {
    const delayMs = Math.min(Math.max(0, reconnectInMs), MAX_TIMER_MS);
    this.#comeBackAt = this.#settings.clock.now() + delayMs;
    this.#wait(delayMs, () => this.#lost({ reason: 'the gateway is going away', mayReconnect: true }));
  }

  dispatch(event: ConnectionEvent, reason?: string): void {
    const before = this.#state;
    const after = NEXT_STATE[before][event];
    if (after === before) return;
    this.#state = after;
    if (!holdsConnection(before) || !holdsConnection(after)) this.#cancelTimer();
    if (holdsConnection(before) && !holdsConnection(after)) this.#release();
    this.#retryAt = undefined;
    // What a browser says of its network is a hint, not a fact: without one we try as well.
    if (after === 'waiting' || after === 'offline') this.#retryAt = this.#schedule();
    if (after === 'closed') this.#stopObserving();
    this.#hooks.changed({
      state: after,
      ...(this.#retryAt === undefined ? {} : { retryAt: this.#retryAt }),
      ...(reason === undefined ? {} : { reason }),
    });
    // A listener may have moved on already.
    if (this.#state === 'connecting' && this.#connection === undefined) this.#open();
  }

  #open(): void {
    this.#comeBackAt = undefined;
    this.#connection = new Connection(this.#settings, {
      welcomed: (frame) => {
        this.#connectionId = frame.connection;
        this.#connectedAt = this.#settings.clock.now();
        this.dispatch('welcomed');
        this.#hooks.connected();
      },
      received: (frame) => this.#hooks.received(frame),
      ended: (end) => this.#lost(end),
    });
  }

  #lost({ reason, mayReconnect, error }: ConnectionEnd): void {
    if (!mayReconnect) this.dispatch('refused', reason);
    else if (this.#settings.connectivity.online) this.dispatch('lost', reason);
    else this.dispatch('lostWithoutNetwork', reason);
    if (error !== undefined) this.#hooks.failed(error);
  }

  #release(): void {
    if (this.#connectionId !== undefined && this.#settings.clock.now() - this.#connectedAt >= STABLE_MS) {
      this.#backoff.reset();
    }
    this.#connection?.end();
    this.#connection = undefined;
    this.#connectionId = undefined;
    this.#hooks.disconnected();
  }

  #schedule(): number {
    const now = this.#settings.clock.now();
    const delayMs = this.#comeBackAt === undefined ? this.#backoff.next() : Math.max(0, this.#comeBackAt - now);
    this.#wait(delayMs, () => this.dispatch('due'));
    return now + delayMs;
  }

  #networkUp(): void {
    this.#backoff.reset();
    this.#connection?.probe();
    this.dispatch('networkUp');
  }

  #wait(ms: number, then: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#settings.clock.after(ms, then);
  }
}
