import { CLOSE_CODES, type CloseCode, PregonError, type RequestId, type Since, toError } from '@pregon/protocol';
import { Message } from '../broadcasts/message.js';
import type { Hub } from '../delivery/hub.js';
import type { Intake } from '../incoming/intake.js';
import { RequestBudget } from '../incoming/request-budget.js';
import type { Identity } from '../ports/admission.js';
import type { Link } from '../ports/link.js';
import type { ServedRoute } from '../routes/served-route.js';
import type { EncodedSnapshot } from '../snapshots/encoded-snapshot.js';
import type { Standpoint } from '../snapshots/snapshot-reader.js';
import type { SnapshotSupply, SubscriptionOwner } from '../subscriptions/subscription.js';
import { assertRoomFor, assertTopicList, type SubscriptionLimits } from '../topics/topic-limits.js';
import type { ConnectionRequest, ShownConnection, TransportName } from './connection.js';
import { ConnectionAccess } from './connection-access.js';
import type { ConnectionOptions } from './connection-options.js';
import type { Expiring } from './expiry.js';
import { Liveness } from './liveness.js';
import type { Member } from './member.js';
import { OpenSubscriptions } from './open-subscriptions.js';
import { closeCodeOf, toldError } from './told-error.js';

/** How many sends of one client may be unanswered before the gateway stops reading from it. */
const MAX_UNANSWERED = 100;

/** Errors that only a client with a broken or hostile protocol implementation causes. */
const UNREADABLE: ReadonlySet<string> = new Set(['FRAME_INVALID', 'FRAME_TOO_LARGE']);

/** RFC 6455 section 7.4.1. */
const POLICY_VIOLATION: CloseCode = { code: 1008, reason: 'too many frames that cannot be read', reconnect: false };

/** One client, over any transport: its subscriptions, its unanswered sends, and its rate limits. */
export class ClientConnection implements Member, SubscriptionOwner, SnapshotSupply, Expiring {
  readonly id: string;
  readonly request: ConnectionRequest;
  readonly openedAt: number;
  readonly #route: ServedRoute;
  readonly #hub: Hub;
  readonly #limits: SubscriptionLimits;
  readonly #link: Link;
  readonly #subscriptions = new OpenSubscriptions();
  #access: ConnectionAccess;
  #open = true;
  #unanswered = 0;
  #reading = true;
  #notes: Map<string, unknown> | undefined;
  readonly #liveness: Liveness;
  #checkpoint = -1;
  readonly #intake: Intake | undefined;
  #hasSubscribed = false;
  /** Created at the second request: most connections open one subscription only, and must not pay for more. */
  #requests: RequestBudget | undefined;

  constructor(link: Link, options: ConnectionOptions) {
    this.id = options.id;
    this.request = options.request;
    this.#access = ConnectionAccess.of(options);
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

  get identity(): Identity | undefined {
    return this.#access.identity;
  }

  get expiresAt(): number | undefined {
    return this.#access.expiresAt;
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
    return this.#subscriptions.hasSeveral;
  }

  /** How many sends of the client are unanswered. */
  get unanswered(): number {
    return this.#unanswered;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** The topic patterns of each open subscription. */
  *topics(): Iterable<readonly [id: RequestId, topics: readonly string[]]> {
    for (const { id, audience } of this.#subscriptions.all) yield [id, audience.filter.topics];
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
    return this.#open && !this.#access.hasEnded && this.#link.message(message);
  }

  /**
   * Opens a subscription. The client receives its events and later errors over the link.
   *
   * @param options.snapshot sends the route's snapshot first if `since` is absent or cannot be served
   * @param options.again delivers the event at `since` once more
   * @throws PregonError RATE_LIMITED | ID_IN_USE | TOO_MANY_SUBSCRIPTIONS | FORBIDDEN | SNAPSHOT_NOT_OFFERED |
   *   POSITION_INVALID | TOPIC_INVALID
   */
  subscribe(
    id: RequestId,
    topics: readonly string[] | undefined,
    since: Since | undefined,
    options: { snapshot?: boolean; again?: boolean } = {},
  ): void {
    try {
      this.#subscribe(id, topics, since, options);
    } catch (error) {
      if (error instanceof PregonError) this.#route.subscribeRefused(this, error);
      throw error;
    }
  }

  #subscribe(
    id: RequestId,
    topics: readonly string[] | undefined,
    since: Since | undefined,
    { snapshot = false, again = false }: { snapshot?: boolean; again?: boolean },
  ): void {
    if (this.#subscriptions.find(id))
      throw new PregonError('ID_IN_USE', `the subscription ${id} is already open: use another id`);
    const { maxSubscriptions } = this.#limits;
    const open = this.#subscriptions.all;
    if (open.length >= maxSubscriptions) {
      throw new PregonError('TOO_MANY_SUBSCRIPTIONS', `at most ${maxSubscriptions} subscriptions per connection`);
    }
    if (this.#hasSubscribed) this.#budget?.subscribe(since, snapshot);
    this.#hasSubscribed = true;
    if (topics) assertTopicList(topics, this.#limits);
    this.#access.assertMaySubscribe(topics);
    if (snapshot) this.#assertSnapshot();
    const filter = this.#route.filter(topics, this.#access.rights);
    const held = open.map(({ audience }) => audience.filter);
    assertRoomFor(filter, held, this.#limits);
    // A subscription that resumed from far back without a matching event needs a checkpoint even if the edge does not
    // move.
    this.#checkpoint = -1;
    const subscription = this.#hub.subscribe({
      id,
      sink: this.#link,
      filter,
      tally: this.#route.tally(this.transport),
      since,
      again,
      snapshots: snapshot ? this : undefined,
      owner: this,
    });
    // If the start was known at once, the subscription has written already. So the connection may be closed or its link
    // broken.
    if (!this.#open) this.#hub.unsubscribe(subscription);
    else if (!subscription.ended) this.#subscriptions.add(subscription);
  }

  /** @throws PregonError SUBSCRIPTION_UNKNOWN */
  unsubscribe(id: RequestId): void {
    const subscription = this.#subscriptions.find(id);
    if (!subscription) throw new PregonError('SUBSCRIPTION_UNKNOWN', `no subscription ${id} is open`);
    this.#subscriptions.delete(id);
    this.#hub.unsubscribe(subscription);
    this.#link.control({ op: 'unsubscribed', id });
  }

  /** Passes a message of the client to the handlers of the route. With an id, the client gets an answer. */
  receive(data: unknown, name: string | undefined, id: RequestId | undefined): void {
    this.#unanswered += 1;
    this.#message(data, name)
      .then(
        (value) => this.#acknowledge(id, value),
        (error: unknown) => this.refuse(id, error),
      )
      .finally(() => {
        this.#unanswered -= 1;
        this.regulate();
      });
  }

  /** Sends the client an `error` frame. */
  refuse(id: RequestId | undefined, error: unknown): void {
    if (!this.#open) return;
    this.#link.control({ op: 'error', ...(id === undefined ? {} : { id }), ...toldError(error) });
  }

  /**
   * Tells the client why a frame was refused. Closes the connection after many unreadable frames (1008), or after many
   * more requests than its rate limit allows (4006).
   */
  refuseFrame(id: RequestId | undefined, error: unknown): void {
    this.refuse(id, error);
    if (!(error instanceof PregonError)) return;
    if (UNREADABLE.has(error.code) && this.#budget?.badFrame()) this.close(POLICY_VIOLATION);
    else if (error.code === 'RATE_LIMITED' && this.#budget?.isExceeded) this.close(CLOSE_CODES.RATE_LIMITED);
  }

  /** Applies backpressure: reads from the client only while it takes its data and few of its sends are unanswered. */
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

  async readSnapshot(standpoint: Standpoint): Promise<EncodedSnapshot> {
    const { snapshots } = this.#route;
    if (snapshots) return snapshots.read(this.#access, standpoint);
    throw new PregonError('SNAPSHOT_NOT_OFFERED', 'the route has no snapshot');
  }

  subscriptionFailed(id: RequestId, error: PregonError): void {
    this.#subscriptions.delete(id);
    this.failed(error);
    try {
      const code = closeCodeOf(error);
      if (code) this.close(code);
      else this.refuse(id, error);
    } catch (cause) {
      this.failed(toError(cause));
    }
  }

  /** The waiting bytes have been taken by the client. */
  drained(): void {
    for (const subscription of this.#subscriptions.all) subscription.advance();
    this.regulate();
  }

  /** The client has shown a sign of life. */
  heard(now: number): void {
    this.#liveness.heard(now, this.#link.takenBytes);
  }

  /** Reports an error of this connection to the route. */
  failed(error: Error): void {
    this.#route.failed(this, error);
  }

  opened(heartbeatMs: number): void {
    this.#link.control({ op: 'welcome', connection: this.id, heartbeatMs });
    this.#route.opened(this);
  }

  /** The connection is closed. */
  closed(code: number, reason: string, now: number): void {
    if (!this.#open) return;
    this.#open = false;
    this.#endSubscriptions();
    const openMs = Math.max(now - this.openedAt, 0);
    this.#route.closed(this, { code, reason, openMs, bytes: this.#link.takenBytes });
  }

  announceDraining(reconnectInMs: number): void {
    this.#link.control({ op: 'draining', reconnectInMs });
  }

  /**
   * Runs every `heartbeatMs`: closes the connection if it shows no sign of life, and sends checkpoints to its
   * subscriptions at the edge.
   */
  heartbeat(now: number, heartbeatMs: number, stallTimeoutMs: number): void {
    const verdict = this.#liveness.look(this.#link, now, heartbeatMs, stallTimeoutMs);
    if (verdict === 'alive') this.#sayCheckpoints();
    else if (verdict !== 'slow') this.close(CLOSE_CODES[verdict]);
  }

  endRights(code: CloseCode): void {
    if (!this.#open) return;
    this.#access = this.#access.ended(code.reason);
    this.#endSubscriptions();
    if (this.#link.isOpenToApplication) this.closeEnded(code);
  }

  closeEnded(code: CloseCode): void {
    if (!this.#open) return;
    // Data that waits was delivered under rights that have ended. If some waits, not even a close frame can pass it.
    if (this.#link.bufferedBytes > 0 && this.#link.discard) this.#link.discard();
    else this.close(code);
  }

  async #message(data: unknown, name: string | undefined): Promise<unknown> {
    this.#access.assertMaySend(name, this.#route.useOf(name));
    const answer = await this.#route.message(this, data, name);
    // The rights may have ended while the handler ran.
    this.#access.assertHolds();
    return answer;
  }

  get #budget(): RequestBudget | undefined {
    this.#requests ??= this.#intake && new RequestBudget(this.#intake);
    return this.#requests;
  }

  #endSubscriptions(): void {
    for (const subscription of this.#subscriptions.clear()) this.#hub.unsubscribe(subscription);
  }

  /** @throws PregonError FORBIDDEN | SNAPSHOT_NOT_OFFERED */
  #assertSnapshot(): void {
    this.#route.assertSnapshot(this.#access.rights);
    if (this.#link.snapshot) return;
    throw new PregonError('SNAPSHOT_NOT_OFFERED', `the transport ${this.transport} cannot send snapshots`);
  }

  #acknowledge(id: RequestId | undefined, value: unknown): void {
    if (id === undefined || !this.#open) return;
    try {
      this.#link.control(value === undefined ? { op: 'ack', id } : { op: 'ack', id, data: value });
    } catch (error) {
      // The answer of the handler cannot be written as JSON: it has a cycle or a bigint, or is nested too deeply.
      this.failed(toError(error));
      this.refuse(id, error);
    }
  }

  #sayCheckpoints(): void {
    const { edge } = this.#hub;
    if (edge.offset === this.#checkpoint) return;
    this.#checkpoint = edge.offset;
    for (const subscription of this.#subscriptions.all) {
      if (subscription.atEdge)
        this.#link.control({ op: 'checkpoint', id: subscription.id, position: this.#hub.positionOf(edge) });
    }
  }
}
