import { CLOSE_CODES, type CloseCode, PregonError, type RequestId, type Since, toError } from '@pregon/protocol';
import { Message } from '../broadcasts/message.js';
import type { Hub } from '../delivery/hub.js';
import type { Intake } from '../incoming/intake.js';
import { RequestBudget } from '../incoming/request-budget.js';
import type { Identity } from '../ports/admission.js';
import type { Link } from '../ports/link.js';
import type { ServedRoute } from '../routes/served-route.js';
import type { Subscription, SubscriptionOwner } from '../subscriptions/subscription.js';
import { assertRoomFor, assertTopicList, type SubscriptionLimits } from '../topics/topic-limits.js';
import type { ConnectionRequest, ShownConnection, TransportName } from './connection.js';
import { Liveness } from './liveness.js';
import type { Member } from './member.js';
import { toldError } from './told-error.js';

/** How many sends of one client may be under way before no more is read from it. */
const MAX_UNANSWERED = 100;

export interface ConnectionOptions {
  readonly id: string;
  readonly route: ServedRoute;
  readonly request: ConnectionRequest;
  readonly hub: Hub;
  readonly limits: SubscriptionLimits;
  readonly now: number;
  /** @default anonymous */
  readonly identity?: Identity | undefined;
  /** @default no limits of rate */
  readonly intake?: Intake;
}

/** Errors of a program that does not speak the protocol, or does harm; none of what an application asks for. */
const UNREADABLE: ReadonlySet<string> = new Set(['FRAME_INVALID', 'FRAME_TOO_LARGE']);

/** RFC 6455 section 7.4.1. */
const POLICY_VIOLATION: CloseCode = { code: 1008, reason: 'too many frames that cannot be read', reconnect: false };

const NONE: readonly Subscription[] = [];

/** One client, over any transport: its subscriptions, what it asked for and how much of that is still open. */
export class ClientConnection implements Member, SubscriptionOwner {
  readonly id: string;
  readonly request: ConnectionRequest;
  readonly identity: Identity | undefined;
  readonly openedAt: number;
  readonly #route: ServedRoute;
  readonly #hub: Hub;
  readonly #limits: SubscriptionLimits;
  readonly #link: Link;
  /** As a rule the only one: a map costs each idle connection two hundred bytes, a list sixty. */
  #subscription: Subscription | undefined;
  /** Those opened after it, in order; made anew at each change. */
  #laterSubscriptions = NONE;
  #open = true;
  #unanswered = 0;
  #reading = true;
  #notes: Map<string, unknown> | undefined;
  readonly #liveness: Liveness;
  #checkpoint = -1;
  readonly #intake: Intake | undefined;
  #hasSubscribed = false;
  /** From the second request on: most connections open one subscription, and must not pay for more. */
  #requests: RequestBudget | undefined;

  constructor(link: Link, options: ConnectionOptions) {
    this.id = options.id;
    this.request = options.request;
    this.identity = options.identity;
    this.#route = options.route;
    this.#hub = options.hub;
    this.#limits = options.limits;
    this.#link = link;
    this.openedAt = Math.floor(options.now);
    this.#liveness = new Liveness(options.now);
    this.#intake = options.intake;
  }

  get route(): string {
    return this.#route.name;
  }

  get remoteAddress(): string {
    return this.request.remoteAddress;
  }

  get transport(): TransportName {
    return this.#link.transport;
  }

  get link(): Link {
    return this.#link;
  }

  get hasSeveral(): boolean {
    return this.#laterSubscriptions.length > 0;
  }

  /** How many sends of the client are under way. */
  get unanswered(): number {
    return this.#unanswered;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** The topic patterns of each open subscription. */
  *topics(): Iterable<readonly [id: RequestId, topics: readonly string[]]> {
    for (const { id, audience } of this.#subscriptions) yield [id, audience.filter.topics];
  }

  get notes(): Map<string, unknown> {
    this.#notes ??= new Map();
    return this.#notes;
  }

  toJSON(): ShownConnection {
    return { id: this.id, route: this.route, transport: this.transport, remoteAddress: this.remoteAddress };
  }

  send(data: unknown, options: { name?: string } = {}): boolean {
    return this.sendMessage(new Message(options.name ?? 'message', data));
  }

  close(code: CloseCode = { code: 1000, reason: '', reconnect: true }, reason?: string): void {
    if (this.#open) this.#link.close(code, reason);
  }

  sendMessage(message: Message): boolean {
    return this.#open && this.#link.message(message);
  }

  /**
   * Opens a subscription; what comes of it, the client is told over its link.
   *
   * @param options.snapshot the route's snapshot first, wherever `since` is absent or cannot be served
   * @param options.again the event at `since` comes once more
   * @throws PregonError RATE_LIMITED | ID_IN_USE | TOO_MANY_SUBSCRIPTIONS | SNAPSHOT_NOT_OFFERED | POSITION_INVALID | TOPIC_INVALID
   */
  subscribe(
    id: RequestId,
    topics: readonly string[] | undefined,
    since: Since | undefined,
    { snapshot = false, again = false }: { snapshot?: boolean; again?: boolean } = {},
  ): void {
    if (this.#find(id)) throw new PregonError('ID_IN_USE', `a subscription ${id} is open already`);
    const { maxSubscriptions } = this.#limits;
    const open = this.#subscriptions;
    if (open.length >= maxSubscriptions) {
      throw new PregonError('TOO_MANY_SUBSCRIPTIONS', `at most ${maxSubscriptions} subscriptions a connection`);
    }
    if (this.#hasSubscribed) this.#budget?.subscribe(since, snapshot);
    this.#hasSubscribed = true;
    if (topics) assertTopicList(topics, this.#limits);
    if (snapshot) this.#assertSnapshot();
    const filter = this.#route.filter(topics);
    const held = open.map(({ audience }) => audience.filter);
    assertRoomFor(filter, held, this.#limits);
    // Resumed from far back with nothing that matches, it has to be told where it stands, also when the edge does not move.
    this.#checkpoint = -1;
    const subscription = this.#hub.subscribe({
      id,
      sink: this.#link,
      filter,
      since,
      again,
      snapshots: snapshot ? this.#route.snapshots : undefined,
      owner: this,
    });
    // Where nothing had to be asked, it may be over by now: the connection closed, or its link broken.
    if (!this.#open) this.#hub.unsubscribe(subscription);
    else if (!subscription.ended) this.#subscriptions = this.#subscriptions.concat(subscription);
  }

  /** @throws PregonError SUBSCRIPTION_UNKNOWN */
  unsubscribe(id: RequestId): void {
    const subscription = this.#find(id);
    if (!subscription) throw new PregonError('SUBSCRIPTION_UNKNOWN', `no subscription ${id} is open`);
    this.#forget(id);
    this.#hub.unsubscribe(subscription);
    this.#link.control({ op: 'unsubscribed', id });
  }

  /** Hands over what the client sent; with an id, it gets an answer. */
  receive(data: unknown, name: string | undefined, id: RequestId | undefined): void {
    this.#unanswered += 1;
    this.#route
      .message(this, data, name)
      .then(
        (value) => this.#acknowledge(id, value),
        (error: unknown) => this.refuse(id, error),
      )
      .finally(() => {
        this.#unanswered -= 1;
        this.regulate();
      });
  }

  /** Tells the client what was wrong with what it sent. */
  refuse(id: RequestId | undefined, error: unknown): void {
    if (!this.#open) return;
    this.#link.control({ op: 'error', ...(id === undefined ? {} : { id }), ...toldError(error) });
  }

  /**
   * Tells the client why a frame was refused; closes the connection after many that cannot be read (1008), or many more requests than its
   * rate allows (4006).
   */
  refuseFrame(id: RequestId | undefined, error: unknown): void {
    this.refuse(id, error);
    if (!(error instanceof PregonError)) return;
    if (UNREADABLE.has(error.code) && this.#budget?.badFrame()) this.close(POLICY_VIOLATION);
    else if (error.code === 'RATE_LIMITED' && this.#budget?.isExceeded) this.close(CLOSE_CODES.RATE_LIMITED);
  }

  /** Reads on from the client only as long as it takes what it is sent, and lets its sends be answered. */
  regulate(): void {
    const { fanOut } = this.#route.connections;
    const reading = !this.#link.full && this.#unanswered < MAX_UNANSWERED && !fanOut.isBehind;
    if (fanOut.isBehind && this.#open) fanOut.holdUntilDone(this);
    if (reading === this.#reading || !this.#open) return;
    this.#reading = reading;
    this.#link.setReading?.(reading);
  }

  pong(): void {
    this.#link.control({ op: 'pong' });
  }

  subscriptionFailed(id: RequestId, error: PregonError): void {
    this.#forget(id);
    this.failed(error);
    try {
      this.#tellFailed(id, error);
    } catch (cause) {
      this.failed(toError(cause));
    }
  }

  /** What waited has been taken. */
  drained(): void {
    for (const subscription of this.#subscriptions) subscription.advance();
    this.regulate();
  }

  /** The client gave a sign of life. */
  heard(now: number): void {
    this.#liveness.heard(now, this.#link.takenBytes);
  }

  /** Something went wrong on the way to this client. */
  failed(error: Error): void {
    this.#route.failed(this, error);
  }

  opened(heartbeatMs: number): void {
    this.#link.control({ op: 'welcome', connection: this.id, heartbeatMs });
    this.#route.opened(this);
  }

  /** The connection is gone. */
  closed(code: number, reason: string, now: number): void {
    if (!this.#open) return;
    this.#open = false;
    for (const subscription of this.#subscriptions) this.#hub.unsubscribe(subscription);
    this.#subscriptions = [];
    const openMs = Math.max(now - this.openedAt, 0);
    this.#route.closed(this, { code, reason, openMs, bytes: this.#link.takenBytes });
  }

  announceDraining(reconnectInMs: number): void {
    this.#link.control({ op: 'draining', reconnectInMs });
  }

  /** Once in `heartbeatMs`: ends it where it gives no sign of life, and says where those stand who saw nothing. */
  heartbeat(now: number, heartbeatMs: number, stallTimeoutMs: number): void {
    const verdict = this.#liveness.look(this.#link, now, heartbeatMs, stallTimeoutMs);
    if (verdict === 'alive') this.#sayCheckpoints();
    else if (verdict !== 'slow') this.close(CLOSE_CODES[verdict]);
  }

  get #budget(): RequestBudget | undefined {
    this.#requests ??= this.#intake && new RequestBudget(this.#intake);
    return this.#requests;
  }

  get #subscriptions(): readonly Subscription[] {
    return this.#subscription ? [this.#subscription, ...this.#laterSubscriptions] : NONE;
  }

  set #subscriptions(all: readonly Subscription[]) {
    this.#subscription = all[0];
    this.#laterSubscriptions = all.length > 1 ? all.slice(1) : NONE;
  }

  #find(id: RequestId): Subscription | undefined {
    return this.#subscriptions.find((subscription) => subscription.id === id);
  }

  /** @throws PregonError SNAPSHOT_NOT_OFFERED */
  #assertSnapshot(): void {
    this.#route.assertSnapshot();
    if (this.#link.snapshot) return;
    throw new PregonError('SNAPSHOT_NOT_OFFERED', `there are no snapshots by ${this.transport}`);
  }

  #forget(id: RequestId): void {
    this.#subscriptions = this.#subscriptions.filter((subscription) => subscription.id !== id);
  }

  #acknowledge(id: RequestId | undefined, value: unknown): void {
    if (id === undefined || !this.#open) return;
    try {
      this.#link.control(value === undefined ? { op: 'ack', id } : { op: 'ack', id, data: value });
    } catch (error) {
      // What the handler answered cannot be written as JSON: it has a cycle, a bigint, or is nested too deeply.
      this.failed(toError(error));
      this.refuse(id, error);
    }
  }

  #sayCheckpoints(): void {
    const { edge } = this.#hub;
    if (edge.offset === this.#checkpoint) return;
    this.#checkpoint = edge.offset;
    for (const subscription of this.#subscriptions) {
      if (subscription.atEdge)
        this.#link.control({ op: 'checkpoint', id: subscription.id, position: this.#hub.positionOf(edge) });
    }
  }

  #tellFailed(id: RequestId, error: PregonError): void {
    switch (error.code) {
      case 'LOG_UNAVAILABLE':
      case 'LOG_CLOSED':
        // Every subscription is about to end: the client had better come back with its positions.
        return this.close(CLOSE_CODES.LOG_UNAVAILABLE);
      case 'CONNECTION_LOST':
        return this.close(CLOSE_CODES.INTERNAL_ERROR);
      default:
        return this.refuse(id, error);
    }
  }
}
