import type { LogPoint, PregonError, RequestId, ResetReason } from '@pregon/protocol';
import type { EventPage } from '../catch-up/page-reader.js';
import type { Audience, Taking } from '../delivery/audiences.js';
import type { Chunk } from '../delivery/chunk.js';
import type { Sink } from '../ports/link.js';
import type { EncodedSnapshot } from '../snapshots/encoded-snapshot.js';
import type { Standpoint } from '../snapshots/snapshot-reader.js';

/** The most chunks for one subscription in one event loop turn. */
const CHUNKS_PER_TURN = 8;

/** The owner of a subscription: a connection, or a subscriber in this process. */
export interface SubscriptionOwner {
  /** Whether the owner has several subscriptions on the same sink. */
  readonly hasSeveral: boolean;
  /** The subscription could not be opened or can no longer be served. It has ended. */
  subscriptionFailed(id: RequestId, error: PregonError): void;
}

/** Where a subscription gets its snapshots. */
export interface SnapshotSupply {
  /** The same text for all rights under which the snapshot has the same rows; undefined if there are no rules. */
  readonly rightsMark: string | undefined;
  /**
   * Reads a snapshot under the rights that the connection has at this moment. The caller must release it.
   *
   * @throws PregonError FORBIDDEN | SNAPSHOT_UNAVAILABLE
   */
  readSnapshot(standpoint: Standpoint): Promise<EncodedSnapshot>;
}

export interface SubscriptionOptions {
  readonly id: RequestId;
  readonly sink: Sink;
  readonly owner: SubscriptionOwner;
  readonly audience: Audience;
  readonly source: Source;
  readonly snapshots: SnapshotSupply | undefined;
  /** Whether the client asked for all that its rights allow. @default false */
  readonly takesAll?: boolean | undefined;
}

type State = 'opening' | 'behind' | 'at the edge' | 'ended';

/** How a subscription begins. */
export interface Beginning {
  readonly recovered: boolean;
  readonly again?: boolean;
  readonly snapshot?: EncodedSnapshot;
}

/** The hub as a subscription sees it: the edge, and the events between the cursor and the edge. */
export interface Source {
  readonly edge: LogPoint;
  /** The position that clients hold for a point of the log. */
  positionOf(point: LogPoint): string;
  /**
   * The next chunk after a cursor before the edge, if it is in memory. Otherwise a page of the log for
   * {@link Source.select}, or the reason why there is none. The call takes part of an event loop turn: check
   * {@link Source.mayTake} first.
   */
  next(audience: Audience, cursor: number): Chunk | Promise<EventPage | ResetReason>;
  /** The next chunk after a cursor, from a page that reaches beyond the cursor. Check {@link Source.mayTake} first. */
  select(audience: Audience, cursor: number, page: EventPage): Chunk;
  /** Calls {@link Subscription.advance} once the edge has moved. */
  awaitEdge(subscription: Subscription): void;
  /** Whether a subscription that is behind may take a chunk in this event loop turn. */
  readonly mayTake: boolean;
  /**
   * Calls {@link Subscription.advance} in a later event loop turn, with the page that the subscription was about to
   * read from.
   */
  awaitTurn(subscription: Subscription, read: EventPage | undefined): void;
  /** The log has dropped the events after the cursor, or was replaced. */
  lost(subscription: Subscription, reason: ResetReason): void;
  /** The log could not be read. */
  failed(subscription: Subscription, error: unknown): void;
  /** Holds the sink until the end of the flush, because several subscriptions may write to it. */
  hold(subscription: Subscription): void;
  /** The sink threw: ends this subscription, and affects no other connection. */
  broken(subscription: Subscription, error: unknown): void;
}

/**
 * A cursor on the log. A subscription gets all its events by moving the cursor forward, one chunk at a time, while its
 * sink takes them. This covers live events, events since its position, the whole history, and events that arrived while
 * its connection was full. States:
 *
 * - *opening*: its starting point is being looked up;
 * - *behind*: the cursor is before the edge; `advance` moves it until the sink is full or the edge is reached;
 * - *at the edge*: it moves with all other subscriptions there, by the chunks of each flush; if the sink is full, it is
 *   *behind* again.
 *
 * Only these few fields are kept for a subscription; no events are buffered.
 */
export class Subscription {
  readonly id: RequestId;
  readonly sink: Sink;
  readonly owner: SubscriptionOwner;
  /** Whether the client asked for all that its rights allow: then it gets all that other rights allow, too. */
  readonly takesAll: boolean;
  /** Reads snapshots; undefined if the client did not ask for one. */
  readonly snapshots: SnapshotSupply | undefined;
  readonly #source: Source;
  #audience: Audience;
  /**
   * Increases each time the starting point is looked up again, so that late answers to earlier look-ups are ignored.
   */
  attempt = 0;
  #state: State = 'opening';
  /** All matching events up to this offset were delivered. Not up to date while the subscription is at the edge. */
  #cursor = 0;
  #reading = false;
  #snapshot: { readonly held: EncodedSnapshot; next: number } | undefined;
  #opened: { position: string; recovered: boolean } | undefined;
  /** Whether the client was told that it is behind: it gets a checkpoint when the edge is reached. */
  #toldBehind = false;

  constructor({ id, sink, owner, audience, source, snapshots, takesAll = false }: SubscriptionOptions) {
    this.id = id;
    this.snapshots = snapshots;
    this.sink = sink;
    this.owner = owner;
    this.takesAll = takesAll;
    this.#audience = audience;
    this.#source = source;
    audience.tally?.moved(undefined, this.#state);
  }

  /** All subscriptions with the same filter. */
  get audience(): Audience {
    return this.#audience;
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
   * Sets the cursor and starts delivery. The rows of a snapshot come first; the snapshot is released when they are
   * taken.
   *
   * @param options.again whether the event at the point itself is delivered too
   */
  begin(after: LogPoint, { recovered, again, snapshot }: Beginning): void {
    if (this.ended) return;
    this.#become('behind');
    this.#cursor = again ? after.offset - 1 : after.offset;
    this.#snapshot = snapshot && { held: snapshot, next: 0 };
    this.#opened = { position: this.#source.positionOf(after), recovered };
    this.advance();
  }

  /**
   * Continues with another filter, from the cursor on. At the edge too, no event lies between the filters: an audience
   * has matched no event that its flush has not delivered.
   */
  moveTo(audience: Audience): void {
    if (this.atEdge) {
      this.#audience.leave(this);
      audience.join(this);
    }
    this.#audience = audience;
  }

  /** Returns to the state *opening*. */
  reopen(): void {
    if (this.ended) return;
    this.audience.leave(this);
    this.attempt += 1;
    this.#become('opening');
    this.#reading = false;
    this.#releaseSnapshot();
    this.#opened = undefined;
  }

  end(): void {
    this.audience.leave(this);
    this.#become('ended');
    this.#releaseSnapshot();
  }

  /**
   * Moves the cursor as far as the sink allows. Called after the start, when the sink has drained, and when the edge
   * has moved.
   *
   * @param read the page that the subscription waited for
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
      // Limits the work for one fast client, and for many of them together, so that other clients are not delayed.
      if (chunks === CHUNKS_PER_TURN || !this.#source.mayTake) return this.#source.awaitTurn(this, read);
      const next = this.#next(read);
      if (next instanceof Promise) return this.#advanceWith(next);
      this.#take(next);
      this.audience.tally?.caught(next.events.length);
    }
  }

  #next(read: EventPage | undefined): Chunk | Promise<EventPage | ResetReason> {
    const cursor = this.#cursor;
    // The cursor may have left this page in the meantime.
    if (read && read.after <= cursor && cursor < read.through) return this.#source.select(this.audience, cursor, read);
    return this.#source.next(this.audience, cursor);
  }

  /**
   * Takes a chunk of a flush.
   *
   * @returns `left` if the sink is full or broken; if it is full, the subscription is *behind* from now on
   */
  takeAtEdge(chunk: Chunk): Taking {
    // A subscription that joined during this flush has this chunk already.
    if (chunk.through <= this.#cursor) return 'had';
    if (this.sink.full) {
      this.#cursor = chunk.after;
      this.#become('behind');
      return 'left';
    }
    try {
      if (this.owner.hasSeveral) this.#source.hold(this);
      this.#take(chunk);
    } catch (error) {
      this.#source.broken(this, error);
      return 'left';
    }
    return 'taken';
  }

  #take(chunk: Chunk): void {
    if (chunk.events.length > 0) this.sink.events(this.id, chunk);
    this.#cursor = chunk.through;
  }

  #join(): void {
    this.#become('at the edge');
    this.audience.join(this);
    if (!this.#toldBehind) return;
    this.#toldBehind = false;
    this.sink.control({ op: 'checkpoint', id: this.id, position: this.#source.positionOf(this.#source.edge) });
  }

  #become(state: State): void {
    this.audience.tally?.moved(this.#state, state);
    this.#state = state;
  }

  #advanceWith(next: Promise<EventPage | ResetReason>): void {
    const { attempt } = this;
    this.#reading = true;
    next.then(
      (page) => {
        // In the meantime the subscription may have ended, or the log may have been replaced: then this page is of the
        // old log.
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

  /**
   * Sends the rows of the snapshot, then `subscribed`.
   *
   * @returns false if the sink is full, or the snapshot was given up
   */
  #sayWhereItBegins(): boolean {
    const opened = this.#opened;
    if (!opened) return true;
    if (!this.#sendSnapshot() || this.sink.full) return false;
    this.#releaseSnapshot();
    this.#opened = undefined;
    const behind = this.#source.edge.offset - this.#cursor;
    this.#toldBehind = behind > 0;
    const rights = this.snapshots?.rightsMark;
    this.sink.control({
      op: 'subscribed',
      id: this.id,
      ...opened,
      ...(rights === undefined ? {} : { rights }),
      ...(behind > 0 ? { behind } : {}),
    });
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
      // Many subscriptions may start to send the same snapshot at the same time.
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
