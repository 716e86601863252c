import type { Refusal } from '../../core/ports/transport.js';
import type { Clock } from '../../core/time/clock.js';
import { TurnShare } from '../../core/time/turn-share.js';

/** A handshake that waits to be admitted. */
export interface WaitingHandshake {
  /** Whether the client has disconnected. */
  readonly isGone: boolean;
  proceed(): void;
  refuse(refusal: Refusal): void;
}

/** Connections from which no request was read yet. */
export interface UnreadConnections {
  /** Stops reading from all of them. */
  hold(): void;
  /** Resumes reading from the next few. @returns whether some are still held */
  readOn(): boolean;
}

export interface HandshakePaceOptions {
  readonly clock: Clock;
  readonly unread: UnreadConnections;
  /** The most milliseconds that a handshake may wait. */
  readonly maxWaitMs: number;
  /** @default 10000 */
  readonly mostWaiting?: number;
}

/**
 * Milliseconds of each event loop turn that new clients may use. During a reconnect storm, events for connected clients
 * are delayed by this time. With less, the fixed cost of a turn would dominate.
 */
const TURN_MS = 1;

/** If this many handshakes wait, no more requests are read: reading a request costs a third of admitting a client. */
const HOLD_FROM = 32;

/** About 50 MB of requests and sockets. */
const MOST_WAITING = 10_000;

/**
 * The most finished handshakes that stay at the start of the list before it is compacted. During a storm the list may
 * never be empty.
 */
const MOST_FINISHED = 128;

const TOO_MANY: Refusal = { status: 503, message: 'too many clients connect at once', headers: { 'Retry-After': '1' } };

/**
 * Paces handshakes: first come, first served, for {@link TURN_MS} in each event loop turn. Thousands of handshakes can
 * become readable in one turn. Handling all of them at once would delay events for connected clients until the last one
 * is answered. A handshake that arrives while no other waits proceeds at once.
 */
export class HandshakePace {
  readonly #clock: Clock;
  readonly #unread: UnreadConnections;
  readonly #maxWaitMs: number;
  readonly #mostWaiting: number;
  /** In order of arrival, beginning at `#first`. */
  #waiting: { readonly handshake: WaitingHandshake; readonly since: number }[] = [];
  #first = 0;
  readonly #share: TurnShare;

  constructor({ clock, unread, maxWaitMs, mostWaiting = MOST_WAITING }: HandshakePaceOptions) {
    this.#clock = clock;
    this.#share = new TurnShare(clock, TURN_MS, () => this.#turn());
    this.#unread = unread;
    this.#maxWaitMs = maxWaitMs;
    this.#mostWaiting = mostWaiting;
  }

  get waiting(): number {
    return this.#waiting.length - this.#first;
  }

  /** Whether a handshake that arrives now may proceed at once. Read it once for each handshake. */
  get isFree(): boolean {
    const { hasTime } = this.#share;
    return hasTime && this.waiting === 0;
  }

  /**
   * Queues a handshake behind those that came earlier. It is refused if too many wait already, or when it has waited
   * too long.
   */
  wait(handshake: WaitingHandshake): void {
    if (this.waiting >= this.#mostWaiting) return handshake.refuse(TOO_MANY);
    this.#waiting.push({ handshake, since: this.#clock.now() });
    this.#share.request();
    if (this.waiting >= HOLD_FROM) this.#unread.hold();
  }

  /** Lets all waiting handshakes proceed now, when the gateway closes: each gets a short refusal. */
  release(): void {
    const waiting = this.#waiting.slice(this.#first);
    this.#first = this.#waiting.length;
    this.#compact();
    for (const { handshake } of waiting) if (!handshake.isGone) handshake.proceed();
  }

  #turn(): void {
    const more = this.waiting < HOLD_FROM && this.#unread.readOn();
    if (this.waiting === 0 && !more) return;
    this.#share.request();
    this.#next();
  }

  #next(): void {
    const next = this.#waiting[this.#first];
    if (!next) return;
    this.#first += 1;
    try {
      this.#admit(next.handshake, this.#clock.now() - next.since);
    } finally {
      this.#goOn();
    }
  }

  #admit(handshake: WaitingHandshake, waitedMs: number): void {
    if (handshake.isGone) return;
    if (waitedMs > this.#maxWaitMs) handshake.refuse(TOO_MANY);
    else handshake.proceed();
  }

  /**
   * Admitting a client queues its first frames as microtasks. They count towards the time of this turn, so the next
   * handshake begins after them.
   */
  #goOn(): void {
    if (this.waiting === 0 || this.#first === MOST_FINISHED) this.#compact();
    queueMicrotask(() => {
      process.nextTick(() => {
        if (this.#share.hasTime) this.#next();
      });
    });
  }

  #compact(): void {
    this.#waiting = this.#waiting.slice(this.#first);
    this.#first = 0;
  }
}
