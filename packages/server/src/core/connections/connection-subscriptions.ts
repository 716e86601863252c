import { fingerprint, PregonError, type RequestId, type Since } from '@pregon/protocol';
import type { Hub } from '../delivery/hub.js';
import type { RequestBudget } from '../incoming/request-budget.js';
import type { Link } from '../ports/link.js';
import type { ServedRoute } from '../routes/served-route.js';
import type { EncodedSnapshot } from '../snapshots/encoded-snapshot.js';
import type { Standpoint } from '../snapshots/snapshot-reader.js';
import type { SnapshotSupply, Subscription, SubscriptionOwner } from '../subscriptions/subscription.js';
import { isEverything } from '../topics/allowed-topics.js';
import { SearchBudget } from '../topics/search-budget.js';
import { assertRoomFor, assertTopicList, type SubscriptionLimits } from '../topics/topic-limits.js';
import type { ConnectionAccess } from './access/connection-access.js';

/** A connection as its subscriptions see it. */
export interface Subscriber extends SubscriptionOwner {
  readonly hub: Hub;
  readonly servedRoute: ServedRoute;
  readonly limits: SubscriptionLimits;
  readonly link: Link;
  readonly access: ConnectionAccess;
  readonly isOpen: boolean;
  /** The rate limits; undefined if there are none. Created when it is first asked for. */
  readonly budget: RequestBudget | undefined;
  /** Counts a refused subscription, and tells the client why it was refused. */
  subscribeRefused(id: RequestId, error: PregonError): void;
  /** Reports an error that the client is not told. */
  failed(error: Error): void;
}

export interface SubscriptionRequest {
  readonly id: RequestId;
  readonly topics: readonly string[] | undefined;
  readonly since: Since | undefined;
  readonly snapshot: boolean;
  readonly again: boolean;
  /** The mark of the rights under which the client got its rows; undefined if it does not say. */
  readonly rights: string | undefined;
}

const NONE: readonly Subscription[] = [];

const encoder = new TextEncoder();

/** The subscriptions of one connection, in the order in which they were opened. */
export class ConnectionSubscriptions implements SnapshotSupply {
  readonly #owner: Subscriber;
  /**
   * The first subscription, and as a rule the only one. A map would cost each idle connection two hundred bytes, a list
   * sixty.
   */
  #first: Subscription | undefined;
  /** The other subscriptions. Each change makes a new list. */
  #later = NONE;
  #checkpoint = -1;
  #hasSubscribed = false;

  constructor(owner: Subscriber) {
    this.#owner = owner;
  }

  get hasSeveral(): boolean {
    return this.#later.length > 0;
  }

  /** Later changes do not change this list. */
  get all(): readonly Subscription[] {
    return this.#first ? [this.#first, ...this.#later] : NONE;
  }

  /**
   * @throws PregonError RATE_LIMITED | ID_IN_USE | TOO_MANY_SUBSCRIPTIONS | FORBIDDEN | SNAPSHOT_NOT_OFFERED |
   *   POSITION_INVALID | TOPIC_INVALID
   */
  open({ id, topics, since, snapshot, again, rights }: SubscriptionRequest): void {
    const { hub, servedRoute, limits, link, access } = this.#owner;
    if (this.#find(id)) throw new PregonError('ID_IN_USE', `the subscription ${id} is already open: use another id`);
    const { maxSubscriptions } = limits;
    if (this.all.length >= maxSubscriptions) {
      throw new PregonError('TOO_MANY_SUBSCRIPTIONS', `at most ${maxSubscriptions} subscriptions per connection`);
    }
    if (this.#hasSubscribed) this.#owner.budget?.subscribe(since, snapshot);
    this.#hasSubscribed = true;
    if (topics) assertTopicList(topics, limits);
    this.#assertMaySubscribe(topics, snapshot);
    const filter = servedRoute.filter(topics, access.rights);
    const held = this.all.map(({ audience }) => audience.filter);
    assertRoomFor(filter, held, limits);
    // A subscription that resumed from far back without a matching event needs a checkpoint even if the edge does not
    // move.
    this.#checkpoint = -1;
    const hasOtherRows = snapshot && since !== undefined && rights !== undefined && rights !== this.rightsMark;
    if (hasOtherRows) link.control({ op: 'reset', id, reason: 'rights' });
    const subscription = hub.subscribe({
      id,
      sink: link,
      filter,
      tally: servedRoute.tally(link.transport),
      since: hasOtherRows ? undefined : since,
      again,
      snapshots: snapshot ? this : undefined,
      takesAll: isEverything(topics),
      owner: this.#owner,
    });
    // If the start was known at once, the subscription has written already. So the connection may be closed or its link
    // broken.
    if (!this.#owner.isOpen) hub.unsubscribe(subscription);
    else if (!subscription.ended) this.#replace([...this.all, subscription]);
  }

  /** @throws PregonError SUBSCRIPTION_UNKNOWN */
  close(id: RequestId): void {
    const subscription = this.#find(id);
    if (!subscription) throw new PregonError('SUBSCRIPTION_UNKNOWN', `no subscription ${id} is open`);
    this.#end(subscription);
  }

  closeAll(): void {
    const { all } = this;
    this.#replace(NONE);
    for (const subscription of all) this.#owner.hub.unsubscribe(subscription);
  }

  /** Forgets a subscription that has ended. */
  forget(id: RequestId): void {
    this.#replace(this.all.filter((subscription) => subscription.id !== id));
  }

  /**
   * Puts all subscriptions under the new rights of the connection, at one point in the log:
   *
   * - those whose topics are still allowed continue from their cursor, with the new rights in their filter;
   * - those with a snapshot start over with another one, because other rights have other rows;
   * - the others end.
   *
   * All of them together may cost what one request may cost.
   */
  renew(former: ConnectionAccess): void {
    const { access, hub, servedRoute } = this.#owner;
    const readsTheSame = access.readsTheSame(former);
    const isSame = readsTheSame && access.isSameIdentity(former);
    // The application may decide by other claims of the same identity.
    if (isSame && !servedRoute.asksApplication) return;
    const budget = new SearchBudget();
    for (const subscription of this.all) {
      const restarts = subscription.snapshots !== undefined && !isSame;
      if (readsTheSame && !restarts && !servedRoute.asksApplication) continue;
      try {
        this.#refilter(subscription, budget);
      } catch (error) {
        if (!(error instanceof PregonError)) throw error;
        this.#end(subscription);
        this.#owner.subscribeRefused(subscription.id, error);
        continue;
      }
      if (restarts) hub.lost(subscription, 'rights');
    }
  }

  get rightsMark(): string | undefined {
    const { access, servedRoute } = this.#owner;
    const { rights, identity } = access;
    if (!rights) return undefined;
    const owner = servedRoute.hasSnapshotsPerIdentity ? [identity?.iss, identity?.sub] : [];
    return fingerprint(encoder.encode(JSON.stringify([rights.subscribe, owner]))).toString(36);
  }

  async readSnapshot(standpoint: Standpoint): Promise<EncodedSnapshot> {
    const { access, servedRoute } = this.#owner;
    if (servedRoute.snapshots) return servedRoute.snapshots.read(access, standpoint);
    throw new PregonError('SNAPSHOT_NOT_OFFERED', 'the route has no snapshot');
  }

  /** Moves the subscriptions on that waited for the client to take its data. */
  advance(): void {
    for (const subscription of this.all) subscription.advance();
  }

  /** Tells the client where its subscriptions at the edge are, if the edge has moved. */
  sayCheckpoints(): void {
    const { hub, link } = this.#owner;
    const { edge } = hub;
    if (edge.offset === this.#checkpoint) return;
    this.#checkpoint = edge.offset;
    for (const { id, atEdge } of this.all) {
      if (atEdge) link.control({ op: 'checkpoint', id, position: hub.positionOf(edge) });
    }
  }

  #refilter(subscription: Subscription, budget: SearchBudget): void {
    const { access, hub, servedRoute, limits } = this.#owner;
    const asked = subscription.takesAll ? undefined : subscription.audience.filter.topics;
    this.#assertMaySubscribe(asked, subscription.snapshots !== undefined, budget);
    const filter = servedRoute.filter(asked, access.rights);
    const others = this.all.filter((other) => other !== subscription);
    assertRoomFor(
      filter,
      others.map(({ audience }) => audience.filter),
      limits,
    );
    hub.refilter(subscription, filter);
  }

  /** @throws PregonError FORBIDDEN | TOPICS_TOO_COMPLEX | SNAPSHOT_NOT_OFFERED */
  #assertMaySubscribe(topics: readonly string[] | undefined, snapshot: boolean, budget?: SearchBudget): void {
    const { access, servedRoute } = this.#owner;
    const { identity, rights } = access;
    access.assertMaySubscribe(topics, budget);
    servedRoute.assertAuthorized({ identity, rights, topics, snapshot }, (error) => this.#owner.failed(error));
    if (snapshot) this.#assertSnapshot();
  }

  /** @throws PregonError FORBIDDEN | SNAPSHOT_NOT_OFFERED */
  #assertSnapshot(): void {
    const { access, servedRoute, link } = this.#owner;
    servedRoute.assertSnapshot(access.rights);
    if (link.snapshot) return;
    throw new PregonError('SNAPSHOT_NOT_OFFERED', `the transport ${link.transport} cannot send snapshots`);
  }

  #find(id: RequestId): Subscription | undefined {
    return this.all.find((subscription) => subscription.id === id);
  }

  #end(subscription: Subscription): void {
    this.forget(subscription.id);
    this.#owner.hub.unsubscribe(subscription);
  }

  #replace(all: readonly Subscription[]): void {
    this.#first = all[0];
    this.#later = all.length > 1 ? all.slice(1) : NONE;
  }
}
