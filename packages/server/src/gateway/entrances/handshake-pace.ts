import type { Refusal } from '../../core/ports/transport.js';
import type { Clock } from '../../core/time/clock.js';

/** Somebody who is to be let in. */
export interface WaitingHandshake {
  /** Nobody is there any more. */
  readonly isGone: boolean;
  proceed(): void;
  refuse(refusal: Refusal): void;
}

/** Those whose requests were not read yet. */
export interface UnreadConnections {
  /** Nothing is to be read from them now. */
  hold(): void;
  /** The next of them may be read from. @returns whether some are held still */
  readOn(): boolean;
}

export interface HandshakePaceOptions {
  readonly clock: Clock;
  readonly unread: UnreadConnections;
  /** How long one may wait. */
  readonly maxWaitMs: number;
  /** @default 10000 */
  readonly mostWaiting?: number;
}

/**
 * For how long those who arrive may keep one turn of the event loop. As much as that is added to the delay of everybody who is inside
 * while a storm lasts; with less, a turn's own cost would count.
 */
const TURN_MS = 1;

/** From how many who wait no more requests are read: to read one takes a third of what it takes to let one in. */
const HOLD_FROM = 32;

/** Some 50 MB of requests and sockets. */
const MOST_WAITING = 10_000;

/** How many of those who went on are kept at most, until the list is moved up: while a storm lasts it may never be empty. */
const MOST_FINISHED = 128;

const TOO_MANY: Refusal = { status: 503, message: 'too many come at once', headers: { 'Retry-After': '1' } };

/**
 * Lets in those who arrive at the pace that leaves room for everybody else: first come, first served, and for {@link TURN_MS} in each turn
 * of the event loop. Handshakes of thousands may become readable in one turn; taken all at once they would hold up the events of those
 * who are inside until the last of them is answered. Who arrives while nobody waits goes on at once.
 */
export class HandshakePace {
  readonly #clock: Clock;
  readonly #unread: UnreadConnections;
  readonly #maxWaitMs: number;
  readonly #mostWaiting: number;
  /** In order from `#first` on. */
  #waiting: { readonly handshake: WaitingHandshake; readonly since: number }[] = [];
  #first = 0;
  /** When no more are let in in this turn; undefined where nobody was yet. */
  #turnEnds: number | undefined;

  constructor({ clock, unread, maxWaitMs, mostWaiting = MOST_WAITING }: HandshakePaceOptions) {
    this.#clock = clock;
    this.#unread = unread;
    this.#maxWaitMs = maxWaitMs;
    this.#mostWaiting = mostWaiting;
  }

  get waiting(): number {
    return this.#waiting.length - this.#first;
  }

  /** Whether who arrives now goes on at once. Asked once for each. */
  get isFree(): boolean {
    const now = this.#clock.now();
    return this.waiting === 0 && now < this.#schedule(now);
  }

  /** Goes on when all have who came before; refused where too many wait already, or where it takes too long. */
  wait(handshake: WaitingHandshake): void {
    if (this.waiting >= this.#mostWaiting) return handshake.refuse(TOO_MANY);
    const now = this.#clock.now();
    this.#waiting.push({ handshake, since: now });
    this.#schedule(now);
    if (this.waiting >= HOLD_FROM) this.#unread.hold();
  }

  /** Whoever waits goes on now: what has to be said to them is short. */
  release(): void {
    const waiting = this.#waiting.slice(this.#first);
    this.#first = this.#waiting.length;
    this.#compact();
    for (const { handshake } of waiting) if (!handshake.isGone) handshake.proceed();
  }

  /** @returns when no more clients are admitted in this turn */
  #schedule(now: number): number {
    if (this.#turnEnds === undefined) {
      this.#turnEnds = now + TURN_MS;
      this.#clock.nextTurn(() => this.#turn());
    }
    return this.#turnEnds;
  }

  #turn(): void {
    const more = this.waiting < HOLD_FROM && this.#unread.readOn();
    this.#turnEnds = undefined;
    if (this.waiting === 0 && !more) return;
    const now = this.#clock.now();
    this.#turnEnds = now + TURN_MS;
    this.#next(now);
  }

  #next(now: number): void {
    const next = this.#waiting[this.#first];
    if (!next) return this.#clock.nextTurn(() => this.#turn());
    this.#first += 1;
    try {
      this.#admit(next.handshake, now - next.since);
    } finally {
      this.#goOn();
    }
  }

  #admit(handshake: WaitingHandshake, waitedMs: number): void {
    if (handshake.isGone) return;
    if (waitedMs > this.#maxWaitMs) handshake.refuse(TOO_MANY);
    else handshake.proceed();
  }

  /** What one who was let in is sent at once, it is sent in microtasks: they belong to its time, so the next one comes after them. */
  #goOn(): void {
    if (this.waiting === 0 || this.#first === MOST_FINISHED) this.#compact();
    queueMicrotask(() => {
      process.nextTick(() => {
        const now = this.#clock.now();
        if (now < (this.#turnEnds ?? now)) this.#next(now);
        else this.#clock.nextTurn(() => this.#turn());
      });
    });
  }

  #compact(): void {
    this.#waiting = this.#waiting.slice(this.#first);
    this.#first = 0;
  }
}
