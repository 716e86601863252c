import type { LogPoint, PregonError, RequestId, ResetReason } from '@pregon/protocol';
import type { EventPage } from '../catch-up/page-reader.js';
import type { Audience } from '../delivery/audience.js';
import type { Chunk } from '../delivery/chunk.js';
import type { Sink } from '../ports/link.js';
import type { EncodedSnapshot } from '../snapshots/encoded-snapshot.js';
import type { SnapshotReader } from '../snapshots/snapshot-reader.js';

/** How many chunks one subscription may take in one turn of the event loop. */
const CHUNKS_PER_TURN = 8;

/** Whose a subscription is. */
export interface SubscriptionOwner {
  /** Whether it has other subscriptions on the same sink. */
  readonly hasSeveral: boolean;
  /** It could not be opened, or not be served any longer; it has ended. */
  subscriptionFailed(id: RequestId, error: PregonError): void;
}

export interface SubscriptionOptions {
  readonly id: RequestId;
  readonly sink: Sink;
  readonly owner: SubscriptionOwner;
  readonly audience: Audience;
  readonly source: Source;
  readonly snapshots: SnapshotReader | undefined;
}

/** How a subscription begins. */
export interface Beginning {
  readonly recovered: boolean;
  readonly again?: boolean;
  readonly snapshot?: EncodedSnapshot;
}

/** What a subscription asks of the hub: where the edge is, and what lies between its cursor and the edge. */
export interface Source {
  readonly edge: LogPoint;
  /** The text under which clients hold a point of the log. */
  positionOf(point: LogPoint): string;
  /**
   * The next chunk after a cursor that stands before the edge, if the window holds it; else a page of the log to {@link Source.select} it
   * from, or why there is none. It takes part of a turn of the event loop: ask only if {@link Source.mayTake}.
   */
  next(audience: Audience, cursor: number): Chunk | Promise<EventPage | ResetReason>;
  /** The next chunk after a cursor, from a page that goes beyond the cursor; the same holds for it. */
  select(audience: Audience, cursor: number, page: EventPage): Chunk;
  /** Calls {@link Subscription.advance} once the edge has moved. */
  awaitEdge(subscription: Subscription): void;
  /** Whether somebody who is behind may take a chunk in this turn of the event loop; at the edge, nobody asks. */
  readonly mayTake: boolean;
  /** Calls {@link Subscription.advance} in a later turn of the event loop, with the page that could not be read from in this one. */
  awaitTurn(subscription: Subscription, read: EventPage | undefined): void;
  /** The log dropped or replaced what the subscription stands on. */
  lost(subscription: Subscription, reason: ResetReason): void;
  /** The log could not be read. */
  failed(subscription: Subscription, error: unknown): void;
  /** A subscription of several on its sink is about to be written to in a flush: the sink is held until the flush is over. */
  hold(subscription: Subscription): void;
  /** The sink threw: it concerns this connection, and nobody who is served after it. */
  broken(subscription: Subscription, error: unknown): void;
}

/**
 * A cursor on the log. Whatever a subscription needs (live events, those since it was last here, all of history, those that
 * came while its connection was full), it gets by moving its cursor forward, one chunk at a time, as long as its sink
 * takes them:
 *
 * - *opening*: where to start is being found out;
 * - *behind*: the cursor stands before the edge; `advance` moves it until the sink is full or the edge is reached;
 * - *at the edge*: it moves with all others there, by the chunks of the flush; found full, it is *behind* again.
 *
 * Nothing is kept for it but these few fields.
 */
export class Subscription {
  readonly id: RequestId;
  readonly sink: Sink;
  readonly owner: SubscriptionOwner;
  readonly audience: Audience;
  /** Where its state can be had, for clients that ask for it. */
  readonly snapshots: SnapshotReader | undefined;
  readonly #source: Source;
  /** Grows each time the place to start is sought anew, so that an answer to an earlier question is known as such. */
  attempt = 0;
  #state: 'opening' | 'behind' | 'at the edge' | 'ended' = 'opening';
  /** Everything that matches up to here was handed over. Not kept up to date at the edge. */
  #cursor = 0;
  #reading = false;
  #snapshot: { readonly held: EncodedSnapshot; next: number } | undefined;
  #opened: { position: string; recovered: boolean } | undefined;
  /** Whether the client was told that it is behind, and waits to hear that it no longer is. */
  #toldBehind = false;

  constructor({ id, sink, owner, audience, source, snapshots }: SubscriptionOptions) {
    this.id = id;
    this.snapshots = snapshots;
    this.sink = sink;
    this.owner = owner;
    this.audience = audience;
    this.#source = source;
  }

  get ended(): boolean {
    return this.#state === 'ended';
  }

  get atEdge(): boolean {
    return this.#state === 'at the edge';
  }

  get cursor(): number {
    return this.atEdge ? this.#source.edge.offset : this.#cursor;
  }

  /**
   * Sets the cursor and goes; with a snapshot, its rows come first, and it is released when they are taken.
   *
   * @param options.again whether the event at the point itself comes too
   */
  begin(after: LogPoint, { recovered, again, snapshot }: Beginning): void {
    if (this.ended) return;
    this.#state = 'behind';
    this.#cursor = again ? after.offset - 1 : after.offset;
    this.#snapshot = snapshot && { held: snapshot, next: 0 };
    this.#opened = { position: this.#source.positionOf(after), recovered };
    this.advance();
  }

  /** Back to finding out where to start. */
  reopen(): void {
    if (this.ended) return;
    this.audience.leave(this);
    this.attempt += 1;
    this.#state = 'opening';
    this.#reading = false;
    this.#releaseSnapshot();
    this.#opened = undefined;
  }

  end(): void {
    this.audience.leave(this);
    this.#state = 'ended';
    this.#releaseSnapshot();
  }

  /**
   * Moves on as far as the sink takes it. Called when there is reason to think that it does: begun, drained, edge moved.
   *
   * @param read a page that was waited for
   */
  advance(read?: EventPage): void {
    if (this.#state !== 'behind' || this.#reading) return;
    try {
      if (this.#sayWhereItBegins()) this.#moveOn(read);
    } catch (error) {
      this.#source.broken(this, error);
    }
  }

  #moveOn(read?: EventPage): void {
    for (let chunks = 0; !this.sink.full; chunks++) {
      const edge = this.#source.edge.offset;
      if (this.#cursor > edge) return this.#source.awaitEdge(this);
      if (this.#cursor === edge) return this.#join();
      // Neither a client that takes all there is nor many of them must hold up the others.
      if (chunks === CHUNKS_PER_TURN || !this.#source.mayTake) return this.#source.awaitTurn(this, read);
      const next = this.#next(read);
      if (next instanceof Promise) return this.#advanceWith(next);
      this.#take(next);
    }
  }

  #next(read: EventPage | undefined): Chunk | Promise<EventPage | ResetReason> {
    const cursor = this.#cursor;
    // Meanwhile the cursor may have moved out of the page that was waited for.
    if (read && read.after <= cursor && cursor < read.through) return this.#source.select(this.audience, cursor, read);
    return this.#source.next(this.audience, cursor);
  }

  /** Takes a chunk of the flush; false if the sink is full, so that from here on the subscription is behind. */
  takeAtEdge(chunk: Chunk): boolean {
    // Whoever joined in the midst of this flush has it already.
    if (chunk.through <= this.#cursor) return true;
    if (this.sink.full) {
      this.#cursor = chunk.after;
      this.#state = 'behind';
      return false;
    }
    try {
      if (this.owner.hasSeveral) this.#source.hold(this);
      this.#take(chunk);
    } catch (error) {
      this.#source.broken(this, error);
      return false;
    }
    return true;
  }

  #take(chunk: Chunk): void {
    if (chunk.events.length > 0) this.sink.events(this.id, chunk);
    this.#cursor = chunk.through;
  }

  #join(): void {
    this.#state = 'at the edge';
    this.audience.join(this);
    if (!this.#toldBehind) return;
    this.#toldBehind = false;
    this.sink.control({ op: 'checkpoint', id: this.id, position: this.#source.positionOf(this.#source.edge) });
  }

  #advanceWith(next: Promise<EventPage | ResetReason>): void {
    const { attempt } = this;
    this.#reading = true;
    next.then(
      (page) => {
        // Meanwhile the subscription may have ended, or the log may have been replaced, so that this page is of the old log.
        if (this.ended || attempt !== this.attempt) return;
        this.#reading = false;
        if (typeof page === 'string') return this.#source.lost(this, page);
        this.advance(page);
      },
      (error: unknown) => {
        if (this.ended || attempt !== this.attempt) return;
        this.#reading = false;
        this.#source.failed(this, error);
      },
    );
  }

  /** The snapshot's rows, then `subscribed`; false while the sink is too full for them, and where they are no longer there. */
  #sayWhereItBegins(): boolean {
    const opened = this.#opened;
    if (!opened) return true;
    if (!this.#sendSnapshot() || this.sink.full) return false;
    this.#releaseSnapshot();
    this.#opened = undefined;
    const behind = this.#source.edge.offset - this.#cursor;
    this.#toldBehind = behind > 0;
    this.sink.control({ op: 'subscribed', id: this.id, ...opened, ...(behind > 0 ? { behind } : {}) });
    return true;
  }

  #sendSnapshot(): boolean {
    const snapshot = this.#snapshot;
    if (!snapshot) return true;
    const { chunks } = snapshot.held;
    if (!chunks) {
      this.#source.lost(this, 'truncated');
      return false;
    }
    while (snapshot.next < chunks.length) {
      if (this.sink.full) return false;
      // Many may have waited for the same snapshot.
      if (!this.#source.mayTake) {
        this.#source.awaitTurn(this, undefined);
        return false;
      }
      const rows = chunks[snapshot.next++] ?? '[]';
      this.sink.snapshot?.(this.id, rows, snapshot.next < chunks.length);
    }
    return true;
  }

  #releaseSnapshot(): void {
    this.#snapshot?.held.release();
    this.#snapshot = undefined;
  }
}
