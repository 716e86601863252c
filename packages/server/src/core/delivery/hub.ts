import { type LogPoint, PregonError, type ResetReason } from '@pregon/protocol';
import { BoundedMap } from '../bounded-map.js';
import { CatchingUp } from '../catch-up/catching-up.js';
import { type EventPage, PageReader } from '../catch-up/page-reader.js';
import { parseSince, Resumption, type Start, startAtFirst } from '../catch-up/resume.js';
import { CountByName } from '../counters/count-by-name.js';
import type { LogCounters, LogLag } from '../counters/counters.js';
import type { Sink } from '../ports/link.js';
import type { Log } from '../ports/log.js';
import type { PositionCodec } from '../ports/positions.js';
import { SnapshotPoint } from '../snapshots/snapshot-point.js';
import { type SnapshotSupply, type Source, Subscription } from '../subscriptions/subscription.js';
import type { Clock } from '../time/clock.js';
import { CompiledFilters } from '../topics/compiled-filters.js';
import type { Filter } from '../topics/filter.js';
import { Arrivals } from './arrivals.js';
import { type Audience, Audiences } from './audiences.js';
import { CHUNK_BYTES, Chunk } from './chunk.js';
import { FlushScheduler } from './flush-scheduler.js';
import { HistoryWindow } from './history-window.js';
import type { HubOptions, SubscribeRequest } from './hub-options.js';
import type { LoggedEvent } from './logged-event.js';

/**
 * The most matching steps for one chunk of a subscription that is behind, about a millisecond. The chunk may end before
 * its page.
 */
const STEPS_PER_CHUNK = 5_000;

/** How many chunks are kept for other subscriptions that are behind at the same point. */
const KEPT_CHUNKS = 64;

/**
 * Reads the log once for all subscriptions. Holds the edge (the point up to which every subscription that is not behind
 * was served), the history window before the edge, and the events after the edge that wait for the next flush.
 */
export class Hub implements Source {
  readonly #log: Log;
  readonly #positions: PositionCodec;
  readonly #clock: Clock;
  readonly #onLog: HubOptions['onLog'];
  readonly #beforeDelivery: HubOptions['beforeDelivery'];
  readonly #history: HistoryWindow;
  readonly #pages: PageReader;
  readonly #resumption: Resumption;
  readonly #catchingUp: CatchingUp;
  readonly #audiences = new Audiences();
  readonly #flushes: FlushScheduler;
  readonly #snapshotPoint: SnapshotPoint;
  readonly #subscriptions = new Set<Subscription>();
  readonly #awaitingEdge = new Set<Subscription>();
  /** The sinks that are held during a flush, each with one of the subscriptions that write to it. */
  readonly #held = new Map<Sink, Subscription>();
  readonly #filters = new CompiledFilters();
  readonly #chunks = new BoundedMap<string, Chunk>(KEPT_CHUNKS);
  readonly #read: CountByName | undefined;
  #edge: LogPoint;
  /** How often the log was replaced. An answer of one generation is not valid in the next. */
  #generation = 0;
  readonly #arrivals: Arrivals;

  /** @throws PregonError LOG_UNAVAILABLE */
  static async open(options: HubOptions): Promise<Hub> {
    return new Hub(options, await options.log.head());
  }

  private constructor(options: HubOptions, edge: LogPoint) {
    this.#log = options.log;
    this.#positions = options.positions;
    this.#clock = options.clock;
    this.#onLog = options.onLog;
    this.#beforeDelivery = options.beforeDelivery;
    this.#edge = edge;
    this.#read = options.counting ? new CountByName() : undefined;
    this.#history = new HistoryWindow(options.historyBytes, edge);
    this.#pages = new PageReader(options.log, options.clock, options.positions);
    this.#resumption = new Resumption(this.#history, options.log, options.clock);
    this.#catchingUp = new CatchingUp(options.clock, options.turn, options.beforeDelivery);
    this.#flushes = new FlushScheduler(() => this.#flush(), options.flushIntervalMs, options.clock);
    this.#snapshotPoint = new SnapshotPoint(options.log, options.clock);
    this.#arrivals = new Arrivals(
      { ...options.arrivals, log: options.log, positions: options.positions, after: edge },
      {
        appended: () => this.#flushes.request(),
        reserved: (entries) => options.onReserved?.(entries),
        replaced: (head) => this.#replace(head),
        unavailable: (error) => this.#onLog({ state: 'unavailable', error }),
        available: () => this.#onLog({ state: 'available' }),
      },
    );
  }

  get edge(): LogPoint {
    return this.#edge;
  }

  /** The position that clients hold for a point of this log. */
  positionOf(point: LogPoint): string {
    return this.#positions.encode(point);
  }

  get subscriptions(): number {
    return this.#subscriptions.size;
  }

  get historyBytes(): number {
    return this.#history.bytes;
  }

  get counters(): LogCounters {
    return {
      edge: this.#edge.offset,
      waiting: { events: this.#arrivals.waiting.length, bytes: this.#arrivals.bytes },
      eventsRead: this.#read?.toRecord() ?? {},
      pages: this.#pages.counters,
      historyBytes: this.#history.bytes,
      own: this.#log.counters ?? {},
    };
  }

  /** @throws PregonError LOG_UNAVAILABLE | LOG_CLOSED */
  async lag(): Promise<LogLag> {
    const head = await this.#log.head();
    const { offset } = this.#edge;
    if (head.offset <= offset) return { offsets: 0, oldestTime: undefined };
    const { entries } = await this.#log.read({ after: offset, through: head.offset, maxCount: 1 });
    const oldest = entries[0] && (await this.#log.detail(entries[0]));
    return { offsets: head.offset - offset, oldestTime: oldest?.time };
  }

  /** @throws PregonError POSITION_INVALID; later errors go to the owner */
  subscribe(request: SubscribeRequest): Subscription {
    const since = request.since === undefined ? undefined : parseSince(request.since, this.#positions);
    const audience = this.#audiences.enter(request.filter, request.tally);
    const subscription = new Subscription({ ...request, audience, source: this });
    this.#subscriptions.add(subscription);
    void this.#open(subscription, since, request.again);
    return subscription;
  }

  /**
   * Whether a subscription can start after this position.
   *
   * @throws PregonError POSITION_INVALID | LOG_UNAVAILABLE
   */
  async canServe(position: string): Promise<boolean> {
    return 'point' in (await this.#start(parseSince(position, this.#positions)));
  }

  /**
   * Continues a subscription with another filter. Events up to its cursor were selected by the former filter, all later
   * ones are selected by this one.
   */
  refilter(subscription: Subscription, filter: Filter): void {
    const former = subscription.audience;
    subscription.moveTo(this.#audiences.enter(filter, former.tally));
    this.#audiences.exit(former);
  }

  unsubscribe(subscription: Subscription): void {
    if (!this.#subscriptions.delete(subscription)) return;
    subscription.end();
    this.#awaitingEdge.delete(subscription);
    this.#catchingUp.delete(subscription);
    this.#audiences.exit(subscription.audience);
  }

  async close(): Promise<void> {
    await this.#arrivals.close();
    for (const subscription of [...this.#subscriptions]) this.unsubscribe(subscription);
  }

  next(audience: Audience, cursor: number): Chunk | Promise<EventPage | ResetReason> {
    const made = this.#chunks.get(chunkKey(audience, cursor));
    if (made) return made;
    const held = this.#history.after(cursor, CHUNK_BYTES);
    if (!held) {
      const page = this.#pages.kept(cursor);
      return page ? this.select(audience, cursor, page) : this.#pageFromLog(cursor);
    }
    const last = held.events.at(-1);
    const through = held.more && last ? last.offset : this.#edge.offset;
    return this.select(audience, cursor, { after: cursor, through, events: held.events });
  }

  select(audience: Audience, cursor: number, { through, events }: EventPage): Chunk {
    // Several subscriptions may wait for this page. The first one makes the chunk for all of them that have the same
    // filter.
    const made = this.#chunks.get(chunkKey(audience, cursor));
    if (made) return made;
    const filter = this.#filters.get(audience.filter);
    const enough = filter.steps + STEPS_PER_CHUNK;
    const selected: LoggedEvent[] = [];
    for (let at = firstAfter(events, cursor); at < events.length; at++) {
      const event = events[at];
      if (!event) break;
      if (filter.matches(event.entry)) selected.push(event);
      if (filter.steps >= enough) return this.#keep(audience, new Chunk(cursor, event.offset, selected));
    }
    return this.#keep(audience, new Chunk(cursor, through, selected));
  }

  awaitEdge(subscription: Subscription): void {
    this.#awaitingEdge.add(subscription);
  }

  hold(subscription: Subscription): void {
    const { sink } = subscription;
    if (!sink.hold || this.#held.has(sink)) return;
    this.#held.set(sink, subscription);
    sink.hold();
  }

  /** Call it before a subscription that is behind is advanced outside its turn. */
  beforeDelivery(): void {
    this.#beforeDelivery?.();
  }

  get mayTake(): boolean {
    return this.#catchingUp.isFree;
  }

  awaitTurn(subscription: Subscription, read: EventPage | undefined): void {
    this.#catchingUp.wait(subscription, read);
  }

  lost(subscription: Subscription, reason: ResetReason): void {
    if (subscription.ended) return;
    this.#catchingUp.delete(subscription);
    subscription.reopen();
    try {
      this.#sayReset(subscription, reason);
    } catch (error) {
      return this.broken(subscription, error);
    }
    void this.#open(subscription, undefined);
  }

  failed(subscription: Subscription, error: unknown): void {
    const known = error instanceof PregonError;
    this.#end(
      subscription,
      known ? error : new PregonError('LOG_UNAVAILABLE', 'the log cannot be read', { cause: error }),
    );
  }

  broken(subscription: Subscription, error: unknown): void {
    this.#end(
      subscription,
      new PregonError('CONNECTION_LOST', 'the connection cannot be written to', { cause: error }),
    );
  }

  #sayReset(subscription: Subscription, reason: ResetReason): void {
    const { tally } = subscription.audience;
    if (tally) tally.resets[reason] += 1;
    subscription.sink.control({ op: 'reset', id: subscription.id, reason });
  }

  #end(subscription: Subscription, error: PregonError): void {
    this.unsubscribe(subscription);
    subscription.owner.subscriptionFailed(subscription.id, error);
  }

  async #open(
    subscription: Subscription,
    since: LogPoint | 'first' | 'foreign' | undefined,
    again = false,
  ): Promise<void> {
    const { attempt, snapshots } = subscription;
    const current = () => !subscription.ended && subscription.attempt === attempt;
    try {
      if (since !== undefined) {
        const start = await this.#start(since);
        if (!current()) return;
        if ('point' in start) {
          if (since !== 'first' && subscription.audience.tally) subscription.audience.tally.resumed += 1;
          return subscription.begin(start.point, { recovered: true, again });
        }
        this.#sayReset(subscription, start.reset);
        if (!current()) return;
      }
      if (!snapshots) return subscription.begin(this.#edge, { recovered: false });
      await this.#beginWithSnapshot(subscription, snapshots, current);
    } catch (error) {
      if (current()) this.failed(subscription, error);
    }
  }

  async #beginWithSnapshot(
    subscription: Subscription,
    snapshots: SnapshotSupply,
    current: () => boolean,
  ): Promise<void> {
    const { edge } = this;
    const snapshot = await snapshots.readSnapshot({
      edge,
      generation: this.#generation,
      floor: () => this.#log.floor(),
      isWanted: current,
      now: () => this.#clock.now(),
      after: (ms, callback) => this.#clock.after(ms, callback),
      nextTurn: (callback) => this.#clock.nextTurn(callback),
    });
    let begun = false;
    try {
      const point = await snapshot.point((read) => this.#snapshotPoint.find(read));
      // In a replaced log the point means nothing. The hub will be told of the replacement, and then reopens all
      // subscriptions.
      const isOfThisLog = await this.#snapshotPoint.isInLogWith(() => this.#edge);
      begun = current() && isOfThisLog;
      if (begun) subscription.begin(point, { recovered: false, snapshot });
    } finally {
      if (!begun) snapshot.release();
    }
  }

  async #start(since: LogPoint | 'first' | 'foreign'): Promise<Start> {
    if (since === 'foreign') return { reset: 'replaced' };
    if (since === 'first') return startAtFirst(() => this.#edge, this.#log);
    return this.#resumption.at(since, () => this.#edge);
  }

  async #pageFromLog(cursor: number): Promise<EventPage | ResetReason> {
    const generation = this.#generation;
    const page = await this.#pages.read(cursor, this.#edge);
    return typeof page === 'string' || generation === this.#generation ? page : 'replaced';
  }

  #keep(audience: Audience, chunk: Chunk): Chunk {
    this.#chunks.set(chunkKey(audience, chunk.after), chunk);
    return chunk;
  }

  #flush(): void {
    this.beforeDelivery();
    // Takes as many events as one event loop turn may match. The others wait for the next turn.
    const arrived = this.#arrivals.take(this.#audiences.match(this.#arrivals.waiting));
    if (!arrived) return;
    if (this.#arrivals.waiting.length > 0) this.#flushes.request();
    const after = this.#edge.offset;
    const { events, through } = arrived;
    this.#edge = through;
    if (this.#read) for (const { entry } of events) this.#read.add(entry.exchange);
    this.#history.append(events);
    this.#chunks.clear();
    this.#audiences.move(after, through.offset);
    this.#releaseHeld();
    this.#snapshotPoint.edgeMoved();
    const waiting = [...this.#awaitingEdge];
    this.#awaitingEdge.clear();
    for (const subscription of waiting) subscription.advance();
  }

  #releaseHeld(): void {
    for (const [sink, subscription] of this.#held) {
      try {
        sink.release?.();
      } catch (error) {
        this.broken(subscription, error);
      }
    }
    this.#held.clear();
  }

  /** Another log has replaced the one that was read. No position that a client holds is valid in it. */
  #replace(head: LogPoint): void {
    this.#generation += 1;
    this.#edge = head;
    this.#history.clear(head);
    this.#pages.clear();
    this.#resumption.clear();
    this.#chunks.clear();
    this.#awaitingEdge.clear();
    this.#onLog({ state: 'replaced', head: this.#edge });
    for (const subscription of [...this.#subscriptions]) this.lost(subscription, 'replaced');
  }
}

function firstAfter(events: readonly LoggedEvent[], cursor: number): number {
  const first = events.findIndex(({ offset }) => offset > cursor);
  return first < 0 ? events.length : first;
}

function chunkKey(audience: Audience, cursor: number): string {
  return `${cursor} ${audience.number}`;
}
