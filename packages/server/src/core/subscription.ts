import { encodePosition, type LogPoint, type PregonError, type RequestId, type ResetReason } from '@pregon/protocol';
import type { Audience } from './audience.js';
import type { Chunk } from './chunk.js';
import type { EncodedSnapshot } from './encoded-snapshot.js';
import type { Link } from './link.js';
import type { SnapshotReader } from './snapshot-reader.js';

/** How many chunks one subscription may take in one turn of the event loop. */
const CHUNKS_PER_TURN = 8;

/** Whose a subscription is. */
export interface SubscriptionOwner {
  /** Whether it has other subscriptions on the same link. */
  readonly hasSeveral: boolean;
  /** It could not be opened, or not be served any longer; it has ended. */
  subscriptionFailed(id: RequestId, error: PregonError): void;
}

export interface SubscriptionOptions {
  readonly id: RequestId;
  readonly link: Link;
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
  /**
   * The next chunk after a cursor that stands before the edge: at once where the window holds it, else from the log; or why there is
   * none.
   */
  next(audience: Audience, cursor: number): Chunk | Promise<Chunk | ResetReason>;
  /** Calls {@link Subscription.advance} once the edge has moved. */
  awaitEdge(subscription: Subscription): void;
  /** Whether somebody who is behind may take a chunk in this turn of the event loop; at the edge, nobody asks. */
  readonly mayTake: boolean;
  /** Calls {@link Subscription.advance} in a later turn of the event loop, with the chunk that could not be taken in this one. */
  awaitTurn(subscription: Subscription, read: Chunk | undefined): void;
  /** The log dropped or replaced what the subscription stands on. */
  lost(subscription: Subscription, reason: ResetReason): void;
  /** The log could not be read. */
  failed(subscription: Subscription, error: unknown): void;
  /** A subscription of several on its link is about to be written to in a flush: the link is held until the flush is over. */
  hold(subscription: Subscription): void;
  /** The link threw: it concerns this connection, and nobody who is served after it. */
  broken(subscription: Subscription, error: unknown): void;
}

/**
 * A cursor on the log. Whatever a subscription needs (live events, those since it was last here, all of history, those that
 * came while its connection was full), it gets by moving its cursor forward, one chunk at a time, as long as its link
 * takes them:
 *
 * - *opening*: where to start is being found out;
 * - *behind*: the cursor stands before the edge; `advance` moves it until the link is full or the edge is reached;
 * - *at the edge*: it moves with all others there, by the chunks of the flush; found full, it is *behind* again.
 *
 * Nothing is kept for it but these few fields.
 */
export class Subscription {
  readonly id: RequestId;
  readonly link: Link;
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

  constructor({ id, link, owner, audience, source, snapshots }: SubscriptionOptions) {
    this.id = id;
    this.snapshots = snapshots;
    this.link = link;
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
    this.#opened = { position: encodePosition(after), recovered };
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
   * Moves on as far as the link takes it. Called when there is reason to think that it does: begun, drained, edge moved.
   *
   * @param read the chunk after the cursor, where it was waited for
   */
  advance(read?: Chunk): void {
    if (this.#state !== 'behind' || this.#reading) return;
    try {
      if (this.#sayWhereItBegins()) this.#moveOn(read);
    } catch (error) {
      this.#source.broken(this, error);
    }
  }

  #moveOn(waitedFor?: Chunk): void {
    // Meanwhile it may have moved; and others on the same link may have filled it: the page is kept for when it has drained.
    let read = waitedFor?.after === this.#cursor ? waitedFor : undefined;
    for (let chunks = 0; !this.link.full; chunks++) {
      const edge = this.#source.edge.offset;
      if (this.#cursor > edge) return this.#source.awaitEdge(this);
      if (this.#cursor === edge) return this.#join();
      // Neither a client that takes all there is nor many of them must hold up the others.
      if (chunks === CHUNKS_PER_TURN || !this.#source.mayTake) return this.#source.awaitTurn(this, read);
      const next = read ?? this.#source.next(this.audience, this.#cursor);
      if (next instanceof Promise) return this.#advanceWith(next);
      read = undefined;
      this.#take(next);
    }
  }

  /** Takes a chunk of the flush; false where the link is full, so that from here on the subscription is behind. */
  takeAtEdge(chunk: Chunk): boolean {
    // Whoever joined in the midst of this flush has it already.
    if (chunk.through <= this.#cursor) return true;
    if (this.link.full) {
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
    if (chunk.events.length > 0) this.link.events(this.id, chunk);
    this.#cursor = chunk.through;
  }

  #join(): void {
    this.#state = 'at the edge';
    this.audience.join(this);
    if (!this.#toldBehind) return;
    this.#toldBehind = false;
    this.link.control({ op: 'checkpoint', id: this.id, position: encodePosition(this.#source.edge) });
  }

  #advanceWith(next: Promise<Chunk | ResetReason>): void {
    const { attempt } = this;
    this.#reading = true;
    next.then(
      (chunk) => {
        // Meanwhile it may have ended, or the log may have been replaced and this chunk be of the old one.
        if (this.ended || attempt !== this.attempt) return;
        this.#reading = false;
        if (typeof chunk === 'string') return this.#source.lost(this, chunk);
        this.advance(chunk);
      },
      (error: unknown) => {
        if (this.ended || attempt !== this.attempt) return;
        this.#reading = false;
        this.#source.failed(this, error);
      },
    );
  }

  /** The snapshot's rows, then `subscribed`; false while the link is too full for them, and where they are no longer there. */
  #sayWhereItBegins(): boolean {
    const opened = this.#opened;
    if (!opened) return true;
    if (!this.#sendSnapshot() || this.link.full) return false;
    this.#releaseSnapshot();
    this.#opened = undefined;
    const behind = this.#source.edge.offset - this.#cursor;
    this.#toldBehind = behind > 0;
    this.link.control({ op: 'subscribed', id: this.id, ...opened, ...(behind > 0 ? { behind } : {}) });
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
      if (this.link.full) return false;
      const rows = chunks[snapshot.next++] ?? '[]';
      this.link.snapshot(this.id, rows, snapshot.next < chunks.length);
    }
    return true;
  }

  #releaseSnapshot(): void {
    this.#snapshot?.held.release();
    this.#snapshot = undefined;
  }
}
