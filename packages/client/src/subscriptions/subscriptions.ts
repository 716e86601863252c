import {
  assertPattern,
  type ClientFrame,
  type ErrorFrame,
  type GatewayFrame,
  MAX_PATTERNS,
  PregonError,
  type PregonEvent,
  type RequestId,
} from '@pregon/protocol';
import { Backoff } from '../backoff.js';
import { errorOfFrame } from '../gateway-error.js';
import type { Settings } from '../options.js';
import {
  ClientSubscription,
  type SubscribeOptions,
  type SubscriptionOwner,
  type SubscriptionState,
} from './subscription.js';

export interface SubscriptionsHooks {
  /** Sends a frame if there is a connection, and returns whether there was one. */
  send(frame: ClientFrame): boolean;
  /** Called when a subscription is not live, with false, and when all of them are live, with true. */
  settled(caughtUp: boolean): void;
  report(error: PregonError): void;
}

interface Entry {
  readonly subscription: ClientSubscription;
  readonly owner: SubscriptionOwner;
  readonly backoff: Backoff;
  /** Whether the subscribe frame was sent on this connection and was not refused. */
  asked: boolean;
  cancelRetry: () => void;
}

/** All subscriptions of a client: opens them on each connection and passes on the frames of each. */
export class Subscriptions {
  readonly #settings: Settings;
  readonly #hooks: SubscriptionsHooks;
  readonly #entries = new Map<RequestId, Entry>();
  /** The subscriptions that are not live yet. */
  readonly #opening = new Set<RequestId>();
  /** The subscription to which event frames belong now, on this connection. */
  #current: RequestId | undefined;

  constructor(settings: Settings, hooks: SubscriptionsHooks) {
    this.#settings = settings;
    this.#hooks = hooks;
  }

  /**
   * @param delayMs the delay before the subscribe frame is sent; a new connection sends it at once. Default: 0
   * @throws TypeError | RangeError | PregonError TOPIC_INVALID
   */
  open(id: RequestId, options: SubscribeOptions, owner: SubscriptionOwner, delayMs = 0): ClientSubscription {
    assertOptions(options);
    const { reconnect, random } = this.#settings;
    const subscription = new ClientSubscription(id, options, {
      stateChanged: (state) => this.#changed(id, state),
      report: this.#hooks.report,
      ended: (error) => owner.gaveUp?.(error),
    });
    const entry = { subscription, owner, backoff: new Backoff(reconnect, random), asked: false, cancelRetry: () => {} };
    this.#entries.set(id, entry);
    this.#opening.add(id);
    if (delayMs === 0) this.#ask(entry);
    else this.#askAfter(entry, delayMs);
    this.#hooks.settled(false);
    return subscription;
  }

  /** The approximate number of events until all subscriptions are live. */
  get behind(): number {
    let behind = 0;
    for (const { subscription } of this.#entries.values()) behind += subscription.behind;
    return behind;
  }

  /** A connection is open: requests every subscription from its position. */
  connected(): void {
    for (const entry of this.#entries.values()) this.#ask(entry);
    this.#hooks.settled(this.#opening.size === 0);
  }

  disconnected(): void {
    this.#current = undefined;
    for (const entry of this.#entries.values()) {
      entry.asked = false;
      entry.cancelRetry();
      entry.subscription.interrupted();
    }
  }

  /** The gateway refuses the client: all subscriptions wait until another attempt succeeds. */
  gaveUp(error: PregonError): void {
    for (const { owner } of [...this.#entries.values()]) owner.gaveUp?.(error);
  }

  /** Ends all subscriptions. */
  end(error: PregonError): void {
    for (const { subscription } of [...this.#entries.values()]) subscription.end(error);
  }

  /** @throws PregonError FRAME_INVALID if no event is allowed now */
  event(event: PregonEvent): void {
    if (this.#current === undefined) throw new PregonError('FRAME_INVALID', 'an event came without a subscription');
    this.#entries.get(this.#current)?.subscription.event(event);
  }

  /**
   * Drops a frame of a subscription that is already closed.
   *
   * @throws PregonError FRAME_INVALID if the frame is not allowed now
   */
  received(frame: GatewayFrame & { op: 'subscribed' | 'events' | 'snapshot' | 'reset' | 'checkpoint' }): void {
    const entry = this.#entries.get(frame.id);
    const subscription = entry?.subscription;
    switch (frame.op) {
      case 'events':
        this.#current = frame.id;
        break;
      case 'subscribed':
        this.#current = frame.id;
        entry?.backoff.reset();
        subscription?.subscribed(frame);
        break;
      case 'snapshot':
        subscription?.snapshot(frame);
        break;
      case 'reset':
        subscription?.reset(frame);
        break;
      case 'checkpoint':
        subscription?.checkpoint(frame.position);
        break;
    }
  }

  /** @returns whether the error answers one of these subscriptions */
  refused(id: RequestId, frame: ErrorFrame): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    entry.asked = false;
    entry.subscription.refused(errorOfFrame(frame), frame.retryable);
    if (entry.subscription.state !== 'closed') {
      // The backoff spreads subscriptions that got the same retry time.
      const delayMs = Math.max(frame.retryAfterMs ?? 0, entry.backoff.next());
      this.#askAfter(entry, delayMs);
    }
    return true;
  }

  #askAfter(entry: Entry, delayMs: number): void {
    entry.cancelRetry = this.#settings.clock.after(delayMs, () => this.#ask(entry));
  }

  #ask(entry: Entry): void {
    if (!entry.asked) entry.asked = this.#hooks.send(entry.subscription.frame());
  }

  #changed(id: RequestId, state: SubscriptionState): void {
    if (state === 'opening' || state === 'catching-up') this.#opening.add(id);
    else this.#opening.delete(id);
    const entry = this.#entries.get(id);
    if (state === 'closed' && entry !== undefined) {
      entry.cancelRetry();
      this.#entries.delete(id);
      if (entry.asked) this.#hooks.send({ op: 'unsubscribe', id });
    }
    entry?.owner.stateChanged?.();
    this.#hooks.settled(this.#opening.size === 0);
  }
}

function assertOptions({ topics, onEvent }: SubscribeOptions): void {
  if (typeof onEvent !== 'function') throw new TypeError('onEvent must be a function');
  if (topics === undefined) return;
  if (topics.length === 0 || topics.length > MAX_PATTERNS) {
    throw new RangeError(`topics must be a list of 1 to ${MAX_PATTERNS} patterns`);
  }
  for (const topic of topics) assertPattern(topic);
}
