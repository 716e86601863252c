import type { Refusal } from '../../core/ports/transport.js';
import type { Clock } from '../../core/time/clock.js';

/** Somebody who is to be let in. */
export interface Visitor {
  /** Nobody is there any more. */
  readonly isGone: boolean;
  proceed(): void;
  refuse(refusal: Refusal): void;
}

/** Those whose requests were not read yet. */
export interface Unread {
  /** Nothing is to be read from them now. */
  hold(): void;
  /** The next of them may be read from. @returns whether some are held still */
  readOn(): boolean;
}

export interface HandshakePaceOptions {
  readonly clock: Clock;
  readonly unread: Unread;
  /** How long one may wait. */
  readonly patienceMs: number;
  /** @default 10000 */
  readonly mostWaiting?: number;
}

/**
 * For how long those who arrive may keep one turn of the event loop. As much as that is added to the delay of everybody who is inside
 * while a storm lasts; with less, a turn's own cost would count.
 */
const TURN_MS = 1;

/** From how many who wait no more requests are read: to read one takes a third of what it takes to let one in. */
const CROWD = 32;

/** Some 50 MB of requests and sockets. */
const MOST_WAITING = 10_000;

/** How many of those who went on are kept at most, until the list is moved up: while a storm lasts it may never be empty. */
const MOST_PASSED = 128;

const TOO_MANY: Refusal = { status: 503, message: 'too many come at once', headers: { 'Retry-After': '1' } };

/**
 * Lets in those who arrive at the pace that leaves room for everybody else: first come, first served, and for {@link TURN_MS} in each turn
 * of the event loop. Handshakes of thousands may become readable in one turn; taken all at once they would hold up the events of those
 * who are inside until the last of them is answered. Who arrives while nobody waits goes on at once.
 */
export class HandshakePace {
  readonly #clock: Clock;
  readonly #unread: Unread;
  readonly #patienceMs: number;
  readonly #mostWaiting: number;
  /** In order from `#first` on. */
  #waiting: { readonly visitor: Visitor; readonly since: number }[] = [];
  #first = 0;
  /** When no more are let in in this turn; undefined where nobody was yet. */
  #turnEnds: number | undefined;

  constructor({ clock, unread, patienceMs, mostWaiting = MOST_WAITING }: HandshakePaceOptions) {
    this.#clock = clock;
    this.#unread = unread;
    this.#patienceMs = patienceMs;
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
  wait(visitor: Visitor): void {
    if (this.waiting >= this.#mostWaiting) return visitor.refuse(TOO_MANY);
    const now = this.#clock.now();
    this.#waiting.push({ visitor, since: now });
    this.#schedule(now);
    if (this.waiting >= CROWD) this.#unread.hold();
  }

  /** Whoever waits goes on now: what has to be said to them is short. */
  release(): void {
    const waiting = this.#waiting.slice(this.#first);
    this.#first = this.#waiting.length;
    this.#moveUp();
    for (const { visitor } of waiting) if (!visitor.isGone) visitor.proceed();
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
    const more = this.waiting < CROWD && this.#unread.readOn();
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
      this.#admit(next.visitor, now - next.since);
    } finally {
      this.#goOn();
    }
  }

  #admit(visitor: Visitor, waitedMs: number): void {
    if (visitor.isGone) return;
    if (waitedMs > this.#patienceMs) visitor.refuse(TOO_MANY);
    else visitor.proceed();
  }

  /** What one who was let in is sent at once, it is sent in microtasks: they belong to its time, so the next one comes after them. */
  #goOn(): void {
    if (this.waiting === 0 || this.#first === MOST_PASSED) this.#moveUp();
    queueMicrotask(() => {
      process.nextTick(() => {
        const now = this.#clock.now();
        if (now < (this.#turnEnds ?? now)) this.#next(now);
        else this.#clock.nextTurn(() => this.#turn());
      });
    });
  }

  #moveUp(): void {
    this.#waiting = this.#waiting.slice(this.#first);
    this.#first = 0;
  }
}
