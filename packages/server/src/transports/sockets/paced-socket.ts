import type { Writable } from 'node:stream';
import type { Intake } from '../../core/incoming/intake.js';
import { limitMessages, putBackUnparsed, receiverStreamOf, socketOf } from '../../private-fields/ws.js';
import { WebSocket } from './ws.js';

/** The shortest delay for a client that exceeds its rate: a timer for each frame would cost more than the frame. */
const SHORTEST_WAIT_MS = 10;

/**
 * The longest time without reading from a client that exceeds its rate: its pongs are in the same stream, and it must
 * not appear dead.
 */
const LONGEST_WAIT_MS = 10_000;

/** An event that `ws` emitted. A frame that was parsed before it could be handled is kept in this form. */
interface Emitted {
  readonly event: string | symbol;
  readonly args: readonly unknown[];
}

/**
 * A WebSocket that reads frames only as fast as an {@link Intake} admits them: in each event loop turn within the
 * budget that all connections share, and over time within its own rate. Frames beyond that are not parsed. Their bytes
 * are put back into the socket, which then stops reading, so that TCP slows the client down. All frames are handled, in
 * order, including close frames.
 */
export class PacedSocket extends WebSocket {
  #intake: Intake | undefined;
  /** The token bucket states, see {@link Rate}. */
  #framesFullAt = 0;
  #bytesFullAt = 0;
  /** Paused by the owner of the socket. */
  #isHeld = false;
  /** Waiting for a turn, or until the client is within its rate again. */
  #isWaiting = false;
  /** Part of a message is being decompressed. */
  #isInflating = false;
  /** The wait for a turn is over: one frame may be handled, even if other connections wait. */
  #hasPlace = false;
  #isDismissed = false;
  /** Frames that were parsed before they could be handled; usually none. */
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

  /**
   * Stops reading while `ws` waits for a decompressed message: `ws` would buffer further bytes where they cannot be put
   * back.
   */
  setInflating(isInflating: boolean): void {
    this.#isInflating = isInflating;
    this.#regulate();
  }

  /** Closes the connection, and drops all messages that arrive before the answer to the close frame. */
  dismiss(code: number, reason: string): void {
    this.#isDismissed = true;
    this.#parsed = undefined;
    this.#isHeld = false;
    this.#regulate();
    this.close(code, reason);
  }

  /** Passes an event to the listeners. */
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

  /** A closing connection is not rate limited; it only waits for its turns. */
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

  /** Called when its turn has come. Handles frames that were already parsed first, then bytes that were put back. */
  #goOn(): void {
    this.#isWaiting = false;
    const intake = this.#intake;
    if (!intake || this.#isHeld) return;
    this.#hasPlace = true;
    this.#handleParsed(intake);
    // Reads in this turn instead of a later tick: the turn's budget applies now.
    if (!this.#isWaiting && !this.#isHeld && !this.#isInflating) this.#readSome();
    this.#hasPlace = false;
    this.#regulate();
  }

  /**
   * Reads a part of the buffered bytes. If it read all of them, Node.js would fetch more from the client in each turn,
   * although only few frames are handled.
   */
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
 * Makes `end()` do nothing on a stream that has already ended. Otherwise Node.js creates an error with a stack for such
 * a call, even if nothing listens. In each closing handshake, `ws` ends its socket once more and its receiver twice
 * more, which is about 7 % of the cost of a connection.
 */
function endQuietly(stream: Writable): void {
  Reflect.set(stream, 'end', end);
}

/** One function for all streams: a closure for each would cost memory for every idle connection. */
function end(this: Writable, ...args: readonly unknown[]): unknown {
  if (this.writableEnded && args.length === 0) return this;
  const inherited: unknown = Reflect.get(Object.getPrototypeOf(this), 'end');
  return typeof inherited === 'function' && Reflect.apply(inherited, this, args);
}
