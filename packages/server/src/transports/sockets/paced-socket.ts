import type { Writable } from 'node:stream';
import type { Intake } from '../../core/incoming/intake.js';
import { limitMessages, putBackUnparsed, receiverStreamOf, socketOf } from '../../private-fields/ws.js';
import { WebSocket } from './ws.js';

/** A client in debt is looked at no more often than this: a timer for each frame would cost more than the frame. */
const SHORTEST_WAIT_MS = 10;

/** The longest that nothing is read from a client in debt: its pongs are in the same stream, and it must not pass for dead. */
const LONGEST_WAIT_MS = 10_000;

/** What `ws` emits; a frame that was parsed before it could be handled is kept as one. */
interface Emitted {
  readonly event: string | symbol;
  readonly args: readonly unknown[];
}

/**
 * A WebSocket from which frames are read as fast as an {@link Intake} admits them: no more in a turn of the event loop than the budget
 * that it shares with all others, and no more in the long run than its rate. What exceeds that is not parsed: it is put back into the
 * socket, which reads no further, so that TCP slows the client down. All frames are handled, in order, close frames included.
 */
export class PacedSocket extends WebSocket {
  #intake: Intake | undefined;
  /** The states of the buckets, see {@link Rate}. */
  #framesFullAt = 0;
  #bytesFullAt = 0;
  /** Paused from outside. */
  #isHeld = false;
  /** For its place in a turn, or until it is out of debt. */
  #isWaiting = false;
  /** A part of a message is being decompressed. */
  #isInflating = false;
  /** Its place has come: one frame is handled however many others wait. */
  #hasPlace = false;
  #isDismissed = false;
  /** Parsed before they could be handled; as a rule none. */
  #parsed: Emitted[] | undefined;

  /** Limits what is read from now on. @param maxMessageBytes a larger message ends the connection with 1009 */
  pace(intake: Intake, maxMessageBytes: number): void {
    this.#intake = intake;
    limitMessages(this, maxMessageBytes);
    for (const stream of [receiverStreamOf(this), socketOf(this)]) if (stream) endQuietly(stream);
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    const isLast = event === 'close' && this.#parsed !== undefined;
    if (!this.#intake || !(isFrame(event) || isLast)) return this.deliver(event, args);
    if (!isLast && !this.#isBlocked(this.#intake)) this.#handle(this.#intake, { event, args });
    else {
      if (!this.#isDismissed) this.#keep({ event, args });
      putBackUnparsed(this);
    }
    return true;
  }

  override pause(): void {
    this.#isHeld = true;
    this.#regulate();
  }

  override resume(): void {
    this.#isHeld = false;
    if (this.#intake && this.#parsed && !this.#isWaiting) this.#waitForTurn(this.#intake);
    else this.#regulate();
  }

  /** While `ws` waits for a decompressed message it must be handed no more: it would keep that where it cannot be put back from. */
  setInflating(isInflating: boolean): void {
    this.#isInflating = isInflating;
    this.#regulate();
  }

  /** Closes, and handles nothing any more that comes before the answer to that. */
  dismiss(code: number, reason: string): void {
    this.#isDismissed = true;
    this.#parsed = undefined;
    this.#isHeld = false;
    this.#regulate();
    this.close(code, reason);
  }

  /** Hands over what happened. */
  protected deliver(event: string | symbol, args: readonly unknown[]): boolean {
    return super.emit(event, ...args);
  }

  #isBlocked(intake: Intake): boolean {
    const { turn } = intake;
    if (this.#isWaiting || (this.#isHeld && !this.#isDismissed)) return true;
    if (this.#hasPlace || turn.isFree) return false;
    this.#waitForTurn(intake);
    return true;
  }

  #handle(intake: Intake, { event, args }: Emitted): void {
    const { turn, frames, bytes, clock } = intake;
    this.#hasPlace = false;
    const [data] = args;
    const size = event === 'message' && Buffer.isBuffer(data) ? data.length : 0;
    if (!this.#isDismissed) turn.run(() => this.deliver(event, args));
    const mayGoOn = turn.mayGoOn(this, size);
    const now = clock.now();
    this.#framesFullAt = frames.take(this.#framesFullAt, 1, now);
    if (size > 0) this.#bytesFullAt = bytes.take(this.#bytesFullAt, size, now);
    const waitMs = Math.max(frames.waitMs(this.#framesFullAt, now), bytes.waitMs(this.#bytesFullAt, now));
    if (waitMs > 0 && !this.#isLeaving) this.#waitUntilPaid(intake, waitMs);
    else if (!mayGoOn) this.#waitForTurn(intake);
    else if (this.#isHeld) putBackUnparsed(this);
  }

  /** No rate holds for what is left of a connection that ends; it only takes its turns. */
  get #isLeaving(): boolean {
    return this.readyState !== this.OPEN;
  }

  #waitForTurn({ turn }: Intake): void {
    this.#isWaiting = true;
    this.#regulate();
    putBackUnparsed(this);
    turn.wait(() => this.#goOn());
  }

  #waitUntilPaid(intake: Intake, waitMs: number): void {
    this.#isWaiting = true;
    this.#regulate();
    putBackUnparsed(this);
    const ms = Math.min(Math.max(waitMs, SHORTEST_WAIT_MS), LONGEST_WAIT_MS);
    intake.clock.after(ms, () => this.#waitForTurn(intake));
  }

  /** Its place has come: what was parsed is handled first, then what was put back. */
  #goOn(): void {
    this.#isWaiting = false;
    const intake = this.#intake;
    if (!intake || this.#isHeld) return;
    this.#hasPlace = true;
    this.#handleParsed(intake);
    // In this very turn, not in one of the next ticks: the place is for now.
    if (!this.#isWaiting && !this.#isHeld && !this.#isInflating) this.#readSome();
    this.#hasPlace = false;
    this.#regulate();
  }

  /** Reads a part of what waits. If all were read, Node.js would fetch more from the client in each turn, although few frames are handled. */
  #readSome(): void {
    const socket = socketOf(this);
    socket?.read(Math.min(socket.readableLength, socket.readableHighWaterMark));
  }

  #keep(emitted: Emitted): void {
    this.#parsed ??= [];
    this.#parsed.push(emitted);
  }

  #handleParsed(intake: Intake): void {
    while (this.#parsed && !this.#isBlocked(intake)) {
      const first = this.#parsed.shift();
      if (this.#parsed.length === 0) this.#parsed = undefined;
      if (!first) return;
      if (first.event === 'close') this.deliver(first.event, first.args);
      else this.#handle(intake, first);
    }
  }

  #regulate(): void {
    if (this.#isWaiting || this.#isInflating || this.#isHeld) super.pause();
    else super.resume();
  }
}

function isFrame(event: string | symbol): boolean {
  return event === 'message' || event === 'ping' || event === 'pong';
}

/**
 * Lets `end()` do nothing on a stream that was ended before. For such a call Node.js makes an error with its stack, also if nobody is told, and
 * in each closing handshake `ws` ends its socket once more and its receiver twice more: some 7 % of what a connection costs.
 */
function endQuietly(stream: Writable): void {
  Reflect.set(stream, 'end', end);
}

/** One for all: a function of its own would be what each idle connection pays for. */
function end(this: Writable, ...args: readonly unknown[]): unknown {
  if (this.writableEnded && args.length === 0) return this;
  const inherited: unknown = Reflect.get(Object.getPrototypeOf(this), 'end');
  return typeof inherited === 'function' && Reflect.apply(inherited, this, args);
}
