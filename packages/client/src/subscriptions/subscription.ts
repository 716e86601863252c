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
  /** Begin after this position, or with `first` at the first retained event. @default live events only */
  readonly since?: Since;
  /** Request the route's snapshot if `since` is absent or cannot be served. @default false */
  readonly snapshot?: boolean;
  /**
   * Called for each matching event, once, in log order. If it throws, the error is reported and the next event follows.
   */
  onEvent(event: PregonEvent): unknown;
  /** Called with all rows at the point where the following events begin. They replace the rows held before. */
  onSnapshot?(rows: readonly unknown[]): unknown;
  /** The position can no longer be served: what you hold is stale. A snapshot (if requested) or live events follow. */
  onReset?(reason: ResetReason): unknown;
  /** The subscription is open: called after each connect and each reset. `recovered` is true if nothing was missed. */
  onSubscribed?(opened: { readonly position: string; readonly recovered: boolean }): unknown;
  /**
   * The gateway refused the subscription: for good, or, if `retryable`, until the client's next retry.
   * @default the client's `error` handlers
   */
  onError?(error: PregonError): unknown;
}

/**
 * The state of a subscription.
 *
 * - `opening`: requested, or waiting for a connection.
 * - `catching-up`: open, and receiving missed events.
 * - `live`: open, and receiving new events.
 * - `closed`: ended by `close()`, by the end of the client, or by a refusal.
 */
export type SubscriptionState = 'opening' | 'catching-up' | 'live' | 'closed';

/** A subscription of a client; it continues over several connections. */
export interface Subscription {
  readonly id: RequestId;
  readonly topics: readonly string[];
  /** The position up to which every event was handled. Pass it as `since` to continue from there. */
  readonly position: string | undefined;
  readonly state: SubscriptionState;
  /**
   * In state `catching-up`, the approximate number of events until it is live, including those that do not match;
   * otherwise 0.
   */
  readonly behind: number;
  /** Ends the subscription. None of its handlers is called any more, even for frames already on their way. */
  close(): void;
}

/** Hooks for the opener of a subscription, called in addition to its handlers. */
export interface SubscriptionOwner {
  /**
   * The subscription ended for good, and not by its own `close()`; or the gateway refuses the client, and it waits for
   * another attempt.
   */
  gaveUp?(error: PregonError): void;
  stateChanged?(): void;
}

export interface SubscriptionHooks {
  stateChanged(state: SubscriptionState): void;
  /** Passes an error to the client's `error` handlers. */
  report(error: PregonError): void;
  /** The subscription ended for good, and not by its own `close()`. */
  ended(error: PregonError): void;
}

/**
 * The client's side of a subscription. The methods that {@link Subscription} does not have take what arrived from the
 * gateway.
 */
export class ClientSubscription implements Subscription {
  readonly id: RequestId;
  readonly topics: readonly string[];
  readonly #options: SubscribeOptions;
  readonly #hooks: SubscriptionHooks;
  #state: SubscriptionState = 'opening';
  #position: string | undefined;
  /** The rights under which the rows were read. */
  #rights: string | undefined;
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

  /** Makes the frame that opens the subscription from its position. */
  frame(): SubscribeFrame {
    const { id, topics } = this;
    // JSON omits members that are undefined.
    const since = this.#position ?? this.#options.since;
    const snapshot = this.#options.snapshot || undefined;
    return { op: 'subscribe', id, topics, since, snapshot, rights: this.#rights, batch: true };
  }

  /** @throws PregonError FRAME_INVALID if no event is allowed now */
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
   * Rows and position change together, here. If the connection is lost between the last chunk and `subscribed`, new
   * rows must not be combined with an old position.
   *
   * @throws PregonError FRAME_INVALID if the snapshot that must come first is missing or incomplete
   */
  subscribed({ position, recovered, rights, behind = 0 }: SubscribedFrame): void {
    if (this.#state === 'closed') return;
    const rows = this.#chunks;
    const complete = rows === undefined ? recovered || this.#options.snapshot !== true : this.#snapshotDone;
    if (!complete) throw new PregonError('FRAME_INVALID', 'subscribed came before the end of the snapshot');
    this.#dropChunks();
    this.#position = position;
    this.#rights = rights;
    this.#behind = behind;
    this.#setState(behind > 0 ? 'catching-up' : 'live');
    if (rows !== undefined) this.#call(() => this.#options.onSnapshot?.(rows));
    this.#call(() => this.#options.onSubscribed?.({ position, recovered }));
  }

  /** The connection is lost, or the log was replaced: an incomplete snapshot is useless. */
  interrupted(): void {
    this.#dropChunks();
    if (this.#isOpen) this.#setState('opening');
  }

  /** The gateway refused the subscription; the client retries if `retryable`. */
  refused(error: PregonError, retryable: boolean): void {
    this.interrupted();
    const { onError } = this.#options;
    if (onError === undefined) this.#hooks.report(error);
    else this.#call(() => this.#options.onError?.(error));
    if (!retryable) this.end(error);
  }

  /** Ends the subscription because the client ended it or the gateway refused it. */
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
