import {
  type AuthorizedFrame,
  CLOSE_CODES,
  type CloseCode,
  PregonError,
  type RequestId,
  type Since,
  toError,
} from '@pregon/protocol';
import { Message } from '../broadcasts/message.js';
import type { Hub } from '../delivery/hub.js';
import type { Intake } from '../incoming/intake.js';
import { RequestBudget } from '../incoming/request-budget.js';
import type { Identity } from '../ports/admission.js';
import type { Link } from '../ports/link.js';
import type { ServedRoute } from '../routes/served-route.js';
import type { SubscriptionLimits } from '../topics/topic-limits.js';
import { type AccessOptions, ConnectionAccess } from './access/connection-access.js';
import type { ConnectionRequest, ShownConnection, TransportName } from './connection.js';
import type { ConnectionOptions } from './connection-options.js';
import { ConnectionSubscriptions, type Subscriber } from './connection-subscriptions.js';
import type { Expiring } from './expiry.js';
import { Liveness } from './liveness.js';
import type { Member } from './member.js';
import { closeCodeOf, toldError } from './told-error.js';

/** How many sends of one client may be unanswered before the gateway stops reading from it. */
const MAX_UNANSWERED = 100;

/** Errors that only a client with a broken or hostile protocol implementation causes. */
const UNREADABLE: ReadonlySet<string> = new Set(['FRAME_INVALID', 'FRAME_TOO_LARGE']);

/** RFC 6455 section 7.4.1. */
const POLICY_VIOLATION: CloseCode = { code: 1008, reason: 'too many frames that cannot be read', reconnect: false };

/** One client, over any transport: its subscriptions, its unanswered sends, and its rate limits. */
export class ClientConnection implements Member, Subscriber, Expiring {
  readonly id: string;
  readonly request: ConnectionRequest;
  readonly openedAt: number;
  readonly #route: ServedRoute;
  readonly hub: Hub;
  readonly limits: SubscriptionLimits;
  readonly #link: Link;
  readonly #subscriptions = new ConnectionSubscriptions(this);
  #access: ConnectionAccess;
  #open = true;
  #unanswered = 0;
  #reading = true;
  /** A token of the client is being verified. Later frames wait, so that they are handled under its rights. */
  #isAuthorizing = false;
  #notes: Map<string, unknown> | undefined;
  readonly #liveness: Liveness;
  readonly #intake: Intake | undefined;
  /** Created at the second request: most connections open one subscription only, and must not pay for more. */
  #requests: RequestBudget | undefined;

  constructor(link: Link, options: ConnectionOptions) {
    this.id = options.id;
    this.request = options.request;
    this.#access = ConnectionAccess.of(options);
    this.#route = options.route;
    this.hub = options.hub;
    this.limits = options.limits;
    this.#link = link;
    this.openedAt = Math.floor(options.now);
    this.#liveness = new Liveness(options.now);
    this.#intake = options.intake;
  }

  get route(): string {
    return this.#route.name;
  }

  get servedRoute(): ServedRoute {
    return this.#route;
  }

  get access(): ConnectionAccess {
    return this.#access;
  }

  get identity(): Identity | undefined {
    return this.#access.identity;
  }

  get expiresAt(): number | undefined {
    return this.#access.expiresAt;
  }

  get warnsAt(): number | undefined {
    return this.#access.warnsAt;
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
   * @param options.rights under which the client got its rows, see `SubscribeFrame`
   * @throws PregonError RATE_LIMITED | ID_IN_USE | TOO_MANY_SUBSCRIPTIONS | FORBIDDEN | SNAPSHOT_NOT_OFFERED |
   *   POSITION_INVALID | TOPIC_INVALID
   */
  subscribe(
    id: RequestId,
    topics: readonly string[] | undefined,
    since: Since | undefined,
    options: { snapshot?: boolean; again?: boolean; rights?: string | undefined } = {},
  ): void {
    try {
      const { snapshot = false, again = false, rights } = options;
      this.#subscriptions.open({ id, topics, since, snapshot, again, rights });
    } catch (error) {
      if (error instanceof PregonError) this.#route.subscribeRefused(this, error);
      throw error;
    }
  }

  /** @throws PregonError SUBSCRIPTION_UNKNOWN */
  unsubscribe(id: RequestId): void {
    this.#subscriptions.close(id);
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
    if (UNREADABLE.has(error.code) && this.budget?.badFrame()) this.close(POLICY_VIOLATION);
    else if (error.code === 'RATE_LIMITED' && this.budget?.isExceeded) this.close(CLOSE_CODES.RATE_LIMITED);
  }

  /** Applies backpressure: reads from the client only while it takes its data and few of its sends are unanswered. */
  regulate(): void {
    const { fanOut } = this.#route.connections;
    const isBusy = this.#unanswered >= MAX_UNANSWERED || this.#isAuthorizing;
    const reading = !this.#link.full && !isBusy && !fanOut.isBehind;
    if (fanOut.isBehind && this.#open) fanOut.holdUntilDone(this);
    if (reading === this.#reading || !this.#open) return;
    this.#reading = reading;
    this.#link.setReading?.(reading);
  }

  /**
   * Counts a token that the client shows, and stops reading until {@link ClientConnection.endAuthorization}.
   *
   * @throws PregonError RATE_LIMITED
   */
  beginAuthorization(): void {
    this.budget?.authorize();
    this.#isAuthorizing = true;
    this.regulate();
  }

  /** The token was verified, or refused. */
  endAuthorization(): void {
    this.#isAuthorizing = false;
    this.regulate();
  }

  /**
   * Gives the connection an identity and rights in place of its former ones, at one point in the log. Nothing of what
   * follows was selected by the former rights, and no event that both rights allow is missing or comes twice.
   *
   * @param answer tells the client, before anything is sent under the new rights
   */
  renew(options: AccessOptions, answer: AuthorizedFrame): void {
    const former = this.#access;
    if (!this.#open || former.hasEnded) return;
    const access = ConnectionAccess.of(options);
    if (!access.readsAllOf(former) && this.#link.bufferedBytes > 0) {
      // Data that waits may be of topics that the client may no longer read. It comes back with its new token.
      this.endRights(CLOSE_CODES.TOKEN_EXPIRED);
      return this.closeEnded(CLOSE_CODES.TOKEN_EXPIRED);
    }
    this.#access = access;
    this.#link.control(answer);
    this.#subscriptions.renew(former);
  }

  pong(): void {
    this.#link.control({ op: 'pong' });
  }

  subscribeRefused(id: RequestId, error: PregonError): void {
    this.#route.subscribeRefused(this, error);
    this.refuse(id, error);
  }

  subscriptionFailed(id: RequestId, error: PregonError): void {
    this.#subscriptions.forget(id);
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
    this.hub.beforeDelivery();
    this.#subscriptions.advance();
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
    this.#subscriptions.closeAll();
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
    if (verdict === 'alive') this.#subscriptions.sayCheckpoints();
    else if (verdict !== 'slow') this.close(CLOSE_CODES[verdict]);
  }

  warn(now: number): void {
    const { expiresAt } = this.#access;
    if (!this.#open || expiresAt === undefined) return;
    try {
      this.#link.control({ op: 'expiring', inMs: Math.max(0, Math.round(expiresAt - now)) });
    } catch (error) {
      this.failed(toError(error));
    }
  }

  endRights(code: CloseCode): void {
    if (!this.#open) return;
    this.#access = this.#access.ended(code.reason);
    this.#subscriptions.closeAll();
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

  get budget(): RequestBudget | undefined {
    this.#requests ??= this.#intake && new RequestBudget(this.#intake);
    return this.#requests;
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
}
