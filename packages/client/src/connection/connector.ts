import { type ClientFrame, type GatewayFrame, isEvent, PregonError, type PregonEvent } from '@pregon/protocol';
import { Backoff } from '../backoff.js';
import { MAX_TIMER_MS } from '../clock.js';
import type { Settings } from '../options.js';
import { Inquiry } from '../reach/inquiry.js';
import { Connection, type ConnectionEnd } from './connection.js';
import {
  type ConnectionEvent,
  type ConnectionState,
  holdsConnection,
  isConnected,
  isRefused,
  nextState,
} from './connection-state.js';

/** After a connection that lasted this long, in milliseconds, the delays are short again. */
const STABLE_MS = 10_000;

/**
 * The time limit for an answer of the gateway after the platform reported that the network is gone, in milliseconds.
 */
const NETWORK_DOWN_ANSWER_MS = 2_000;

/**
 * In the first SHORT_OUTAGE_MS of an outage, the delays are at most SHORT_OUTAGE_DELAY_MS if the page is visible. So a
 * client is live again within 2 s of a gateway restart.
 */
const SHORT_OUTAGE_MS = 10_000;
const SHORT_OUTAGE_DELAY_MS = 1_500;

/** A hint replaces an attempt that is older than this, in milliseconds: it may hang on a network that is gone. */
const FRESH_ATTEMPT_MS = 1_000;

export interface StateChange {
  readonly state: ConnectionState;
  /**
   * The time of the next attempt, in milliseconds since the Unix epoch; set in `waiting`, `offline` and after an HTTP
   * status in `refused`.
   */
  readonly retryAt?: number | undefined;
  /** The reason why the connection was lost, refused or closed. */
  readonly reason?: string | undefined;
}

export interface ConnectorHooks {
  changed(change: StateChange): void;
  /** A connection is open; frames can be sent. */
  connected(): void;
  received(frame: PregonEvent | GatewayFrame): void;
  /** The connection is gone, and with it everything that was pending on it. */
  disconnected(): void;
  /** The connection ended by a fault. If the gateway refuses the client, this is the refusal. */
  failed(error: PregonError): void;
}

/** Keeps one connection open. It runs the state table, one connection at a time, and the delays between attempts. */
export class Connector {
  readonly #settings: Settings;
  readonly #hooks: ConnectorHooks;
  readonly #backoff: Backoff;
  #state: ConnectionState = 'connecting';
  #connection: Connection | undefined;
  #connectionId: string | undefined;
  #connectedAt = 0;
  #attemptedAt = 0;
  /** Whether the connection has delivered an event, a message or an answer. */
  #delivered = false;
  /** The time of the first loss since the last progress. */
  #outageSince: number | undefined;
  #wasWelcomed = false;
  #refusedBy: ConnectionEnd['refusedBy'];
  #lastError: PregonError | undefined;
  /** The reason of failed attempts that the inquiry found. */
  #finding: PregonError | undefined;
  readonly #inquiry: Inquiry;
  /** The time at which a draining gateway asked this client to reconnect. */
  #comeBackAt: number | undefined;
  #retryAt: number | undefined;
  #cancelTimer = () => {};
  #stopObserving = () => {};

  constructor(settings: Settings, hooks: ConnectorHooks) {
    this.#settings = settings;
    this.#hooks = hooks;
    this.#backoff = new Backoff(settings.reconnect, settings.random);
    this.#inquiry = new Inquiry(settings, (error) => this.#learned(error));
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get retryAt(): number | undefined {
    return this.#retryAt;
  }

  get lastError(): PregonError | undefined {
    return this.#lastError;
  }

  get connectionId(): string | undefined {
    return this.#connectionId;
  }

  start(): void {
    this.#stopObserving = this.#settings.connectivity.observe({
      up: () => this.#takeHint(),
      changed: () => this.#takeHint(),
      woken: () => this.#takeHint(),
      down: () => {
        this.#connection?.probe(NETWORK_DOWN_ANSWER_MS);
        this.dispatch('networkDown');
      },
    });
    this.#open();
  }

  /** Connects at once, unless an attempt has just begun. */
  connectNow(): void {
    this.#inquiry.stop();
    if (this.#state !== 'connecting') return this.dispatch('attempt');
    if (this.#settings.clock.now() - this.#attemptedAt < FRESH_ATTEMPT_MS) return;
    this.#connection?.end();
    this.#open();
  }

  /** Sends a frame if there is a connection. @returns whether there was one. @throws PregonError FRAME_TOO_LARGE */
  send(frame: ClientFrame): boolean {
    if (!isConnected(this.#state) || this.#connection === undefined) return false;
    this.#connection.send(frame);
    return true;
  }

  /** Ends the connection because of a frame that it delivered, and retries. */
  fail(error: PregonError): void {
    this.#connection?.fail(error);
  }

  /**
   * Keeps the connection until the time that a draining gateway gave, or until it closes, whichever is first; then
   * connects again.
   */
  leave(reconnectInMs: number, reason = 'the gateway is going away'): void {
    const delayMs = Math.min(Math.max(0, reconnectInMs), MAX_TIMER_MS);
    this.#comeBackAt = this.#settings.clock.now() + delayMs;
    this.#wait(delayMs, () => this.#lost({ error: new PregonError('CONNECTION_LOST', reason) }));
  }

  dispatch(event: ConnectionEvent, reason?: string): void {
    const before = this.#state;
    const after = nextState(before, event);
    if (after === before) return;
    this.#state = after;
    if (!holdsConnection(before) || !holdsConnection(after)) this.#cancelTimer();
    if (holdsConnection(before) && !holdsConnection(after)) this.#release();
    this.#retryAt = undefined;
    // The browser's report about its network is only a hint, so the client also tries without a network.
    if (after === 'waiting' || after === 'offline') this.#retryAt = this.#schedule();
    if (after === 'refused' && this.#refusedBy === 'status') this.#retryAt = this.#scheduleAfterRefusal();
    if (isRefused(after) || after === 'closed') this.#inquiry.stop();
    if (after === 'closed') this.#stopObserving();
    this.#tell(reason);
    // A listener may already have changed the state.
    if (this.#state === 'connecting' && this.#connection === undefined) this.#open();
  }

  #tell(reason: string | undefined): void {
    this.#hooks.changed({ state: this.#state, retryAt: this.#retryAt, reason });
  }

  #open(): void {
    const { clock } = this.#settings;
    this.#comeBackAt = undefined;
    this.#delivered = false;
    this.#attemptedAt = clock.now();
    this.#connection = new Connection(this.#settings, {
      wasWelcomed: this.#wasWelcomed,
      welcomed: (frame) => {
        this.#connectionId = frame.connection;
        this.#connectedAt = clock.now();
        this.#wasWelcomed = true;
        this.#finding = undefined;
        this.#inquiry.stop();
        this.dispatch('welcomed');
        this.#hooks.connected();
      },
      received: (frame) => {
        this.#hooks.received(frame);
        // The frame may have ended the connection.
        if (!this.#delivered && this.#connectionId !== undefined) this.#delivered = isDelivery(frame);
      },
      ended: (end) => this.#lost(end),
    });
  }

  #lost({ error, reason = error.message, isFault = false, refusedBy }: ConnectionEnd): void {
    const url = this.#connectionId === undefined ? this.#connection?.url : undefined;
    this.#refusedBy = refusedBy;
    const finding = isFault ? undefined : this.#finding;
    this.#lastError = finding ?? error;
    this.dispatch(
      refusedBy
        ? refusedBy === 'status'
          ? 'refused'
          : refusedBy
        : this.#settings.connectivity.online
          ? 'lost'
          : 'lostWithoutNetwork',
      finding?.message ?? reason,
    );
    if (isFault) this.#hooks.failed(error);
    // A plain request may show why the attempt failed if the platform's WebSocket does not.
    else if (url !== undefined) this.#inquiry.ask(url, this.#wasWelcomed);
  }

  /** Handles the reason that the inquiry found. */
  #learned(error: PregonError): void {
    this.#lastError = error;
    if (error.retryable) {
      this.#finding = error;
      return this.#tell(error.message);
    }
    this.#refusedBy = 'status';
    this.dispatch('refused', error.message);
    this.#hooks.failed(error);
  }

  #release(): void {
    const stayed = this.#connectionId !== undefined && this.#settings.clock.now() - this.#connectedAt >= STABLE_MS;
    if (stayed || this.#delivered) this.#progressed();
    this.#connection?.end();
    this.#connection = undefined;
    this.#connectionId = undefined;
    this.#hooks.disconnected();
  }

  /** Makes the next delays short again. */
  #progressed(): void {
    this.#backoff.reset();
    this.#outageSince = undefined;
  }

  #schedule(): number {
    const now = this.#settings.clock.now();
    this.#outageSince ??= now;
    const delayMs =
      this.#comeBackAt === undefined
        ? this.#backoff.next(this.#maxDelayMs(now - this.#outageSince))
        : Math.max(0, this.#comeBackAt - now);
    this.#wait(delayMs, () => this.dispatch('attempt'));
    return now + delayMs;
  }

  #maxDelayMs(outageMs: number): number {
    const { connectivity, reconnect } = this.#settings;
    if (connectivity.visible === false) return reconnect.hiddenMaxDelayMs;
    return outageMs < SHORT_OUTAGE_MS ? Math.min(SHORT_OUTAGE_DELAY_MS, reconnect.maxDelayMs) : reconnect.maxDelayMs;
  }

  /** Waits 30 to 60 s by default: the status may come from a proxy and be temporary. */
  #scheduleAfterRefusal(): number {
    const { clock, reconnect, random } = this.#settings;
    const delayMs = Math.min(reconnect.hiddenMaxDelayMs * (1 + random()), MAX_TIMER_MS);
    this.#wait(delayMs, () => this.dispatch('attempt'));
    return clock.now() + delayMs;
  }

  /** Handles a change of the network or of the visibility: the next attempt may succeed. */
  #takeHint(): void {
    this.#progressed();
    this.#connection?.probe();
    if (!isRefused(this.#state) || this.#refusedBy === 'status') this.connectNow();
  }

  #wait(ms: number, then: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#settings.clock.after(ms, then);
  }
}

/** Tells whether a frame delivers something to the application, which shows that its connection works. */
function isDelivery(frame: PregonEvent | GatewayFrame): boolean {
  return isEvent(frame) || frame.op === 'message' || frame.op === 'ack';
}
