import {
  PregonError,
  type PregonEvent,
  type RequestId,
  type ResetFrame,
  type ResetReason,
  type Since,
  type SnapshotFrame,
  type SubscribedFrame,
  type SubscribeFrame,
} from '@pregon/protocol';
import { callHandler } from '../handlers.js';

export interface SubscribeOptions {
  /** AMQP topic patterns. @default ['#'] */
  readonly topics?: readonly string[];
  /** Begin after this position, or with `first` before the first retained event. @default live only */
  readonly since?: Since;
  /** Ask for the route's snapshot wherever `since` is absent or cannot be served. @default false */
  readonly snapshot?: boolean;
  /** Each matching event, once, in log order. What it throws is reported, and the next event comes all the same. */
  onEvent(event: PregonEvent): unknown;
  /** All rows as they stand where the events that follow begin: they replace what was held. */
  onSnapshot?(rows: readonly unknown[]): unknown;
  /** The position can no longer be served: what was held is stale, a snapshot (if asked for) or the live edge follows. */
  onReset?(reason: ResetReason): unknown;
  /** Open, after each connect and each reset; `recovered` where nothing was missed. */
  onSubscribed?(opened: { readonly position: string; readonly recovered: boolean }): unknown;
  /** Refused: for good, or, where `retryable`, until it is asked for again by itself. @default the client's `error` handlers */
  onError?(error: PregonError): unknown;
}

/**
 * `opening`: asked for, or waiting for a connection. `catching-up`: open, and given what was missed. `live`: open, and given what
 * happens. `closed`: by `close()`, by the client's end, or refused.
 */
export type SubscriptionState = 'opening' | 'catching-up' | 'live' | 'closed';

/** One subscription; it outlives its connections. */
export interface Subscription {
  readonly id: RequestId;
  readonly topics: readonly string[];
  /** The position up to which everything was handled: present it as `since` to go on from there. */
  readonly position: string | undefined;
  readonly state: SubscriptionState;
  /** In state `catching-up`: about how many events are to come until it is live, those that do not match included. Else 0. */
  readonly behind: number;
  /** Ends it; no handler of it is called any more, whatever is on its way. */
  close(): void;
}

/** Whoever opened a subscription, told beside its handlers. */
export interface SubscriptionOwner {
  /** It ended for good, and not by its own `close()`; or the gateway refuses the client, and it waits for another attempt. */
  gaveUp?(error: PregonError): void;
  stateChanged?(): void;
}

export interface SubscriptionHooks {
  stateChanged(state: SubscriptionState): void;
  /** For the client's `error` handlers. */
  report(error: PregonError): void;
  /** It ended for good, and not by its own `close()`. */
  ended(error: PregonError): void;
}

/** The client's side of a subscription. Its methods beside {@link Subscription} are called with what came over the wire. */
export class ClientSubscription implements Subscription {
  readonly id: RequestId;
  readonly topics: readonly string[];
  readonly #options: SubscribeOptions;
  readonly #hooks: SubscriptionHooks;
  #state: SubscriptionState = 'opening';
  #position: string | undefined;
  #chunks: unknown[] | undefined;
  #snapshotDone = false;
  #behind = 0;

  constructor(id: RequestId, options: SubscribeOptions, hooks: SubscriptionHooks) {
    this.id = id;
    this.topics = [...(options.topics ?? ['#'])];
    this.#options = options;
    this.#hooks = hooks;
    this.#position = options.since === 'first' ? undefined : options.since;
  }

  get position(): string | undefined {
    return this.#position;
  }

  get state(): SubscriptionState {
    return this.#state;
  }

  get behind(): number {
    return this.#state === 'catching-up' ? this.#behind : 0;
  }

  close(): void {
    this.#setState('closed');
  }

  /** What opens it, from where it stands. */
  frame(): SubscribeFrame {
    const { id, topics } = this;
    // JSON leaves out what is undefined.
    const since = this.#position ?? this.#options.since;
    return { op: 'subscribe', id, topics, since, snapshot: this.#options.snapshot || undefined, batch: true };
  }

  /** @throws PregonError FRAME_INVALID where no event may come now. */
  event(event: PregonEvent): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'opening') throw new PregonError('FRAME_INVALID', 'an event came before subscribed');
    if (this.#behind > 1) this.#behind -= 1;
    this.#call(() => this.#options.onEvent(event));
    this.#moveTo(event.position);
  }

  checkpoint(position: string): void {
    this.#moveTo(position);
    if (this.#state === 'catching-up') this.#setState('live');
  }

  reset(frame: ResetFrame): void {
    this.interrupted();
    this.#call(() => this.#options.onReset?.(frame.reason));
  }

  snapshot(frame: SnapshotFrame): void {
    if (this.#snapshotDone) this.#dropChunks();
    this.#chunks ??= [];
    for (const row of frame.rows) this.#chunks.push(row);
    this.#snapshotDone = !frame.more;
  }

  /**
   * Rows and position become true together, here: a connection lost between the last chunk and `subscribed` must not leave new rows
   * with an old position.
   *
   * @throws PregonError FRAME_INVALID where the snapshot that must come before did not.
   */
  subscribed({ position, recovered, behind = 0 }: SubscribedFrame): void {
    if (this.#state === 'closed') return;
    const rows = this.#chunks;
    const complete = rows === undefined ? recovered || this.#options.snapshot !== true : this.#snapshotDone;
    if (!complete) throw new PregonError('FRAME_INVALID', 'subscribed came before the end of the snapshot');
    this.#dropChunks();
    this.#position = position;
    this.#behind = behind;
    this.#setState(behind > 0 ? 'catching-up' : 'live');
    if (rows !== undefined) this.#call(() => this.#options.onSnapshot?.(rows));
    this.#call(() => this.#options.onSubscribed?.({ position, recovered }));
  }

  /** The connection is lost, or the log was replaced under it: what had come half is of no use. */
  interrupted(): void {
    this.#dropChunks();
    if (this.#isOpen) this.#setState('opening');
  }

  /** The gateway refused; it is asked again where `retryable`. */
  refused(error: PregonError, retryable: boolean): void {
    this.interrupted();
    const { onError } = this.#options;
    if (onError === undefined) this.#hooks.report(error);
    else this.#call(() => this.#options.onError?.(error));
    if (!retryable) this.end(error);
  }

  /** Ends it for a reason of the client's. */
  end(error: PregonError): void {
    if (this.#state === 'closed') return;
    this.#setState('closed');
    this.#hooks.ended(error);
  }

  get #isOpen(): boolean {
    return this.#state === 'live' || this.#state === 'catching-up';
  }

  #moveTo(position: string | undefined): void {
    if (this.#isOpen && position !== undefined) this.#position = position;
  }

  #call(run: () => unknown): void {
    if (this.#state === 'closed') return;
    callHandler(run, (cause) => {
      this.#hooks.report(new PregonError('HANDLER_FAILED', `a handler of subscription ${this.id} failed`, { cause }));
    });
  }

  #dropChunks(): void {
    this.#chunks = undefined;
    this.#snapshotDone = false;
  }

  #setState(state: SubscriptionState): void {
    if (state === this.#state || this.#state === 'closed') return;
    this.#state = state;
    this.#hooks.stateChanged(state);
  }
}
