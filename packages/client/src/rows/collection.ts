import { PregonError } from '@pregon/protocol';
import type { Backoff } from '../backoff.js';
import type { Clock } from '../clock.js';
import { callHandler } from '../handlers.js';
import type { SubscribeOptions, Subscription, SubscriptionOwner } from '../subscriptions/subscription.js';
import type { CollectionObserver, CollectionState, JsonObject, ParsedCollectionOptions } from './collection-options.js';
import { describe, type Key } from './keys.js';
import type { RowChange } from './row-change.js';
import { Table, type Transition } from './table.js';

export type { CollectionOptions } from './collection-options.js';
export type { CollectionObserver, CollectionState, JsonObject, Key, ParsedCollectionOptions, RowChange };

export type OpenSubscription = (options: SubscribeOptions, owner: SubscriptionOwner, delayMs?: number) => Subscription;

/** What a collection needs from its client. */
export interface CollectionContext {
  readonly open: OpenSubscription;
  readonly report: (error: PregonError) => void;
  readonly clock: Clock;
  /** The delays before new snapshots. */
  readonly backoff: Backoff;
}

interface Entry<Row> {
  readonly observer: CollectionObserver<Row>;
}

/** After a collection was `live` for this time, in milliseconds, the delay before a new snapshot is short again. */
const STABLE_MS = 10_000;

/**
 * A live, read-only Map of rows, built from the route's snapshot and the events after it. Its rows always equal the
 * application's table at {@link Collection.position}: an event or a snapshot is applied as a whole or not at all. An
 * event or snapshot cannot be applied if `parse` or `change` throws, or if a key is missing. Then the collection
 * becomes `stale`, reports HANDLER_FAILED with the cause, and reads a new snapshot. The delay before that grows from
 * 0.5 to 30 s while it keeps failing. The iteration order is that of the snapshot, then the order of insertion.
 */
export class Collection<Row extends object> implements ReadonlyMap<Key, Row> {
  /**
   * Resolves with the first snapshot. Rejects with a PregonError if the collection ends, or the gateway refuses the
   * client, before that.
   */
  readonly ready: Promise<void>;
  readonly #options: ParsedCollectionOptions<Row>;
  readonly #context: CollectionContext;
  readonly #table: Table<Row>;
  readonly #observers = new Set<Entry<Row>>();
  readonly #settle: { resolve(): void; reject(error: PregonError): void };
  #subscription: Subscription;
  #isReady = false;
  #isClosed = false;
  /** The time since which the rows equal the table at the subscription's position; undefined while they do not. */
  #inStepSince: number | undefined;
  /** The position of the rows while it differs from the subscription's position. */
  #heldPosition: string | undefined;
  #lastError: PregonError | undefined;
  #toldState: CollectionState = 'loading';

  /** {@link Client.collection} makes collections. @internal */
  constructor(options: ParsedCollectionOptions<Row>, context: CollectionContext) {
    this.#options = options;
    this.#context = context;
    this.#table = new Table(options);
    let settle = { resolve() {}, reject(_: PregonError) {} };
    this.ready = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject };
    });
    this.#settle = settle;
    // Without this, Node.js would end the process of an application that has onError but does not await `ready`.
    this.ready.catch(() => {});
    this.#subscription = this.#subscribe();
  }

  get state(): CollectionState {
    const { state } = this.#subscription;
    if (state === 'closed') return 'closed';
    if (!this.#isReady) return 'loading';
    return state === 'live' && this.#inStepSince !== undefined ? 'live' : 'stale';
  }

  /** The position in the log that the rows correspond to. */
  get position(): string | undefined {
    return this.#inStepSince === undefined ? this.#heldPosition : this.#subscription.position;
  }

  /**
   * The last failure: an event or a snapshot that could not be applied, or a refusal. It remains after the collection
   * is `live` again.
   */
  get lastError(): PregonError | undefined {
    return this.#lastError;
  }

  /**
   * Calls the observer for each change of a row, and never for an unchanged row. It first reports the present rows as
   * added, synchronously, so that a view built by the observer always equals the collection.
   *
   * @returns a function that removes the observer
   * @example
   * const stop = users.observe({ added: (user, id) => addRow(id, user), removed: (user, id) => removeRow(id) });
   */
  observe(observer: CollectionObserver<Row>): () => void {
    const entry = { observer };
    const present = [...this.#table.rows];
    const wasReady = this.#isReady;
    this.#observers.add(entry);
    for (const [key, row] of present) this.#tell(entry, () => observer.added?.(row, key));
    if (present.length > 0) this.#tell(entry, () => observer.updated?.());
    if (wasReady) this.#tell(entry, () => observer.ready?.());
    this.#tell(entry, () => observer.state?.(this.state));
    return () => {
      this.#observers.delete(entry);
    };
  }

  /** Ends the collection. Observers get no more calls, and the rows stay unchanged. */
  close(): void {
    this.#isClosed = true;
    this.#observers.clear();
    this.#subscription.close();
    this.#settle.reject(new PregonError('CONNECTION_LOST', 'the collection is closed'));
  }

  get size(): number {
    return this.#table.rows.size;
  }

  get(key: Key): Row | undefined {
    return this.#table.get(key);
  }

  has(key: Key): boolean {
    return this.#table.get(key) !== undefined;
  }

  keys(): MapIterator<Key> {
    return this.#table.rows.keys();
  }

  values(): MapIterator<Row> {
    return this.#table.rows.values();
  }

  entries(): MapIterator<[Key, Row]> {
    return this.#table.rows.entries();
  }

  [Symbol.iterator](): MapIterator<[Key, Row]> {
    return this.#table.rows.entries();
  }

  forEach(visit: (row: Row, key: Key, collection: ReadonlyMap<Key, Row>) => void): void {
    for (const [key, row] of this.#table.rows) visit(row, key, this);
  }

  #subscribe(delayMs?: number): Subscription {
    const { topics } = this.#options;
    const options: SubscribeOptions = {
      topics,
      snapshot: true,
      onEvent: (event) =>
        this.#take(`the event ${event.id} (${event.type})`, () => {
          const change = this.#options.change(event);
          return change === undefined ? undefined : this.#table.afterChange(change);
        }),
      onSnapshot: (rows) => this.#take('the snapshot', () => this.#table.afterSnapshot(rows)),
      onSubscribed: ({ recovered }) => {
        // After a reset, another gateway may still be able to serve the position that the rows correspond to.
        if (recovered) this.#inStepSince ??= this.#context.clock.now();
        this.#tellState();
      },
      onReset: (reason) => {
        this.#fallBehind();
        this.#tellState();
        this.#notify((observer) => observer.reset?.(reason));
      },
      onError: (error) => {
        this.#lastError = error;
        if (this.#options.onError) return this.#options.onError(error);
        this.#context.report(error);
      },
    };
    const owner: SubscriptionOwner = {
      gaveUp: (error) => this.#gaveUp(error),
      stateChanged: () => this.#tellState(),
    };
    return this.#context.open(options, owner, delayMs);
  }

  /** Reads what an event or a snapshot changes, applies all of it, then calls the observers. */
  #take(what: string, read: () => Transition<Row> | undefined): void {
    let transition: Transition<Row> | undefined;
    try {
      transition = read();
    } catch (cause) {
      return this.#failed(what, cause);
    }
    // The application's `change` may have closed the collection.
    if (!transition || this.#subscription.state === 'closed') return;
    this.#table.apply(transition);
    // This list excludes observers that another observer adds now: `observe` reports the new rows to those.
    const observers = [...this.#observers];
    if (!transition.rows) return this.#announce(transition, observers);
    const isFirst = !this.#isReady;
    this.#isReady = true;
    this.#inStepSince = this.#context.clock.now();
    this.#announce(transition, observers);
    if (isFirst) {
      this.#settle.resolve();
      this.#notify((observer) => observer.ready?.(), observers);
    }
    this.#tellState();
  }

  /**
   * Handles a change that was not applied. The rows stay unchanged, later events cannot be applied to them, so a new
   * snapshot is read.
   */
  #failed(what: string, cause: unknown): void {
    const { clock, backoff, report } = this.#context;
    const why = cause instanceof Error ? cause.message : describe(cause);
    const message = `${what} could not be applied to the collection: ${why}`;
    const error = new PregonError('HANDLER_FAILED', message, { cause });
    this.#lastError = error;
    const failing = this.#subscription;
    if (failing.state !== 'closed') {
      if (this.#inStepSince !== undefined && clock.now() - this.#inStepSince >= STABLE_MS) backoff.reset();
      this.#fallBehind();
      this.#subscription = this.#subscribe(backoff.next());
      failing.close();
      // A listener may have closed the collection in the meantime.
      if (this.#isClosed) this.#subscription.close();
      this.#tellState();
    }
    report(error);
  }

  #fallBehind(): void {
    this.#heldPosition = this.position;
    this.#inStepSince = undefined;
  }

  #gaveUp(error: PregonError): void {
    this.#lastError = error;
    this.#settle.reject(error);
  }

  #announce({ differences }: Transition<Row>, observers: readonly Entry<Row>[]): void {
    if (differences.length === 0) return;
    for (const { key, before, after } of differences) {
      if (after === undefined) {
        if (before !== undefined) this.#notify((observer) => observer.removed?.(before, key), observers);
      } else if (before === undefined) this.#notify((observer) => observer.added?.(after, key), observers);
      else this.#notify((observer) => observer.changed?.(after, before, key), observers);
    }
    this.#notify((observer) => observer.updated?.(), observers);
  }

  #tellState(): void {
    const { state } = this;
    if (state === this.#toldState) return;
    this.#toldState = state;
    this.#notify((observer) => observer.state?.(state));
  }

  #notify(
    call: (observer: CollectionObserver<Row>) => unknown,
    observers: readonly Entry<Row>[] = [...this.#observers],
  ): void {
    for (const entry of observers) this.#tell(entry, () => call(entry.observer));
  }

  #tell(entry: Entry<Row>, call: () => unknown): void {
    if (this.#observers.has(entry)) callHandler(call, this.#handlerFailed);
  }

  readonly #handlerFailed = (cause: unknown): void => {
    this.#context.report(new PregonError('HANDLER_FAILED', 'a handler of a collection failed', { cause }));
  };
}
