import type { IncomingMessage } from 'node:http';
import type { AuthorizedFrame, CloseCode, RequestId } from '@pregon/protocol';
import type { AdmissionChain, Candidate } from '../core/admission/admission-chain.js';
import type { AdmissionDetails } from '../core/admission/admission-request.js';
import type { Clients } from '../core/admission/clients.js';
import { isRefusal, type Verdict } from '../core/admission/decision.js';
import { forgetTicket } from '../core/admission/url-tickets.js';
import type { AccessOptions } from '../core/connections/access/connection-access.js';
import { ClientConnection } from '../core/connections/client-connection.js';
import type { ConnectionRequest } from '../core/connections/connection.js';
import type { Expiry } from '../core/connections/expiry.js';
import type { Heartbeat } from '../core/connections/heartbeat.js';
import type { Member } from '../core/connections/member.js';
import type { RevocationWatch } from '../core/connections/revocable.js';
import type { Hub } from '../core/delivery/hub.js';
import type { Intake } from '../core/incoming/intake.js';
import type { Allowed, EntranceName, Identity, Refusal } from '../core/ports/admission.js';
import type { Link } from '../core/ports/link.js';
import type { Rights } from '../core/ports/rights.js';
import type { Query } from '../core/ports/transport.js';
import type { RefusalLog } from '../core/refusals/refusal-log.js';
import type { ServedRoute } from '../core/routes/served-route.js';
import type { Clock } from '../core/time/clock.js';
import type { SubscriptionLimits } from '../core/topics/topic-limits.js';
import { newConnectionId } from './connection-id.js';
import { accessTimes, expiryTime } from './expiry-time.js';
import { isPreflight, type OriginPolicy, preflightAnswer } from './http/cors.js';
import { canonicalPath, canonicalTargetPath } from './http/path.js';
import { MAX_TARGET_CHARACTERS, parseTarget, targetPath } from './http/query.js';
import { GOING_AWAY, ONLY_GET } from './http/refusal.js';
import { intern } from './sockets/string-interning.js';

export interface ClientRegistryOptions extends SubscriptionLimits {
  readonly routes: readonly ServedRoute[];
  readonly hub: Hub;
  readonly heartbeat: Heartbeat;
  readonly clock: Clock;
  /** The rate limits for incoming frames, shared by all transports. */
  readonly intake: Intake;
  readonly heartbeatMs: number;
  readonly maxBufferedBytes: number;
  readonly admission: AdmissionChain;
  readonly clients: Pick<Clients, 'addressOf' | 'keep' | 'signedIn' | 'signOut' | 'waits' | 'waited'>;
  /** Decides which pages may connect and read responses. */
  readonly origins: OriginPolicy;
  readonly refusals: RefusalLog;
  /** Ends connections whose identity expires. */
  readonly expiry: Expiry;
  /** Ends connections whose identity is revoked. @default none is */
  readonly revocations?: RevocationWatch | undefined;
}

/** An admitted client: its route, its query, its identity, and what it may do. */
export interface Admitted {
  readonly route: ServedRoute;
  readonly query: Query;
  readonly identity: Identity | undefined;
  readonly rights: Rights | undefined;
}

export type RouteVerdict = Admitted | Refusal;

export interface DecideDetails extends AdmissionDetails {
  /** What an earlier decision about the same client found. */
  readonly found?: Allowed | undefined;
  /** Whether the client has left. @default whether the socket of the request is destroyed */
  readonly isGone?: () => boolean;
}

/**
 * The registry of the clients of all transports: finds the route, asks the admissions, and keeps the open connections.
 */
export class ClientRegistry {
  readonly options: ClientRegistryOptions;
  /** By canonical path. */
  readonly #byPath: ReadonlyMap<string, ServedRoute>;
  readonly #expiry: Expiry;
  /** Ends the count of a client for the identity with which it signed in on its open connection. */
  readonly #signedIn = new Map<ClientConnection, () => void>();
  /** Ends the count of a client for the identity with which it was admitted. */
  readonly #admitted = new Map<ClientConnection, () => void>();
  #open = true;
  #count = 0;
  #emptied: (() => void) | undefined;

  constructor(options: ClientRegistryOptions) {
    this.options = options;
    this.#expiry = options.expiry;
    this.#byPath = new Map(options.routes.map((route) => [canonicalPath(route.path), route]));
  }

  /** All open connections. */
  get connections(): readonly Member[] {
    return this.options.routes.flatMap((route) => [...route.connections]);
  }

  get isOpen(): boolean {
    return this.#open;
  }

  knows(target: string | undefined): boolean {
    return this.#byPath.has(targetPath(target));
  }

  /** @throws TypeError if no route of this gateway has the path */
  routeAt(path: string): ServedRoute {
    const route = this.#byPath.get(canonicalPath(path));
    if (route) return route;
    throw new TypeError(`no route of this gateway has the path ${path}`);
  }

  /**
   * Decides whether a client is admitted at the route that it requests. Returns a promise only if an admission has to
   * wait; the promise never rejects.
   */
  admit(request: IncomingMessage): RouteVerdict | Promise<RouteVerdict> {
    const target = request.url ?? '/';
    if (target.length > MAX_TARGET_CHARACTERS) {
      return { status: 414, message: `the URL is longer than ${MAX_TARGET_CHARACTERS} characters` };
    }
    const query = parseTarget(target, this.options);
    const route = this.#byPath.get(canonicalTargetPath(query.path));
    if (!route) return this.#unknownRoute(query.path);
    if (isPreflight(request)) return this.options.origins.refusal(request.headers) ?? preflightAnswer(request);
    if (request.method !== 'GET') return ONLY_GET;
    const verdict = this.decide(request, route.entrance);
    if (verdict instanceof Promise) return verdict.then((late) => admitted(late, route, query));
    return admitted(verdict, route, query);
  }

  /**
   * Decides whether a client is admitted at an entrance, whatever it requests there. Returns a promise only if an
   * admission has to wait; the promise never rejects.
   *
   * @param details.isNew false for a request of a session that was admitted before
   */
  decide(request: IncomingMessage, entrance: EntranceName, details: DecideDetails = {}): Verdict | Promise<Verdict> {
    const { socket } = request;
    const { isNew = true, isGone = () => socket.destroyed } = details;
    if (isNew && !this.#open) return GOING_AWAY;
    const verdict = this.options.admission.decide({ ...details, request, entrance, isGone });
    if (!(verdict instanceof Promise)) return verdict;
    // The gateway may have started to close in the meantime.
    return verdict.then((late) => (isNew && !this.#open && !isRefusal(late) ? GOING_AWAY : late));
  }

  /**
   * Registers a connection that writes to this link, and starts its heartbeat and expiry. The transport then tells the
   * connection what the client sends, and when the link has drained.
   *
   * @param id given if the transport has an id that cannot be guessed
   */
  enter(
    { route, identity, rights }: Omit<Admitted, 'query'>,
    request: IncomingMessage,
    link: Link,
    id = newConnectionId(),
  ): ClientConnection {
    const { hub, clock, heartbeatMs } = this.options;
    const now = clock.now();
    forgetTicket(request);
    const connection = new ClientConnection(link, {
      id,
      route,
      hub,
      limits: this.options,
      intake: this.options.intake,
      now,
      identity,
      rights,
      ...accessTimes(identity, link, now),
      request: {
        url: request.url ?? '/',
        headers: request.headers,
        remoteAddress: intern(this.options.clients.addressOf(request)),
      },
    });
    this.#count += 1;
    const signOut = identity && this.options.clients.signOut(request);
    if (signOut) this.#admitted.set(connection, signOut);
    this.options.heartbeat.add(connection);
    this.#expiry.add(connection);
    connection.opened(heartbeatMs);
    this.options.revocations?.add(connection);
    return connection;
  }

  /**
   * Decides about a token that a client shows after its handshake, at a route. The credentials of the handshake do not
   * count. Returns a promise only if an admission has to wait; the promise never rejects.
   *
   * @param token null for a client that signs out
   */
  decideToken(
    connection: Pick<ClientConnection, 'request' | 'servedRoute' | 'identity'>,
    token: string | null,
    isGone: () => boolean,
  ): Verdict | Promise<Verdict> {
    return this.#decideToken(connection.request, connection.servedRoute, { token, isGone, connection });
  }

  #decideToken(
    { url, headers, remoteAddress }: ConnectionRequest,
    { entrance }: ServedRoute,
    shown: Pick<Candidate, 'token' | 'isGone' | 'client' | 'connection'>,
  ): Verdict | Promise<Verdict> {
    const { authorization: _, cookie: __, ...rest } = headers;
    // A WebSocket handshake needs HTTP/1.1 (RFC 6455 section 4.1).
    const request = { method: 'GET', url, httpVersion: '1.1', headers: rest, socket: { remoteAddress } };
    return this.options.admission.decide({ ...shown, request, entrance });
  }

  /** Decides about the token of a client that is not admitted yet, in the same way. */
  decideFirstToken(
    request: IncomingMessage,
    route: ServedRoute,
    token: string,
    isGone: () => boolean,
  ): Verdict | Promise<Verdict> {
    if (!this.#open) return GOING_AWAY;
    const { url = '/', headers } = request;
    const remoteAddress = this.options.clients.addressOf(request);
    const shown = { token, isGone, client: request };
    const verdict = this.#decideToken({ url, headers, remoteAddress }, route, shown);
    // The gateway may have started to close in the meantime.
    return verdict instanceof Promise
      ? verdict.then((late) => (this.#open || isRefusal(late) ? late : GOING_AWAY))
      : verdict;
  }

  /** The route that a request names; undefined if there is none. */
  routeOf({ url }: IncomingMessage): ServedRoute | undefined {
    return this.#byPath.get(targetPath(url));
  }

  /** Gives a connection another identity and other rights, and tells the client. @param id of the client's request */
  renew(connection: ClientConnection, { identity, rights }: Allowed, id: RequestId | undefined): void {
    const now = this.options.clock.now();
    const { expiresAt, warnsAt } = accessTimes(identity, connection.link, now);
    // A client that shows the same token again has been told.
    const isLater = (identity?.expiresAtMs ?? 0) > (connection.identity?.expiresAtMs ?? 0);
    const access = { identity, rights, expiresAt, warnsAt: isLater ? warnsAt : undefined };
    this.#expiry.delete(connection);
    this.#countIdentity(connection, { identity, rights });
    connection.renew(access, authorizedFrame(access, id, now));
    if (!connection.isOpen || connection.access.hasEnded) return;
    this.#expiry.add(connection);
    this.options.revocations?.add(connection);
  }

  /** Tells the client that the token of its first frame was accepted. @param id of the client's request */
  tellAuthorized({ access, link }: ClientConnection, id: RequestId | undefined): void {
    link.control(authorizedFrame(access, id, this.options.clock.now()));
  }

  /**
   * Watches the rights of a client that is at no route.
   *
   * @param close called when the rights of the identity have ended
   * @returns a function that ends the watch; undefined if the rights cannot end
   */
  watchRights(identity: Identity | undefined, close: (code: CloseCode) => void): (() => void) | undefined {
    if (!identity) return undefined;
    const expiresAt = expiryTime(identity, this.options.clock.now());
    const watched = { identity, expiresAt, endRights: close, closeEnded() {} };
    const { revocations } = this.options;
    this.#expiry.add(watched);
    revocations?.add(watched);
    return () => {
      this.#expiry.delete(watched);
      revocations?.delete(watched);
    };
  }

  leave(connection: ClientConnection, code: number, reason: string): void {
    if (!connection.isOpen) return;
    this.#count -= 1;
    this.options.heartbeat.delete(connection);
    this.#expiry.delete(connection);
    this.options.revocations?.delete(connection);
    // The client counts for the identity with which it was admitted until its socket has closed.
    this.#admitted.delete(connection);
    this.#endSignIn(connection);
    connection.closed(code, reason, this.options.clock.now());
    if (this.#count === 0) this.#emptied?.();
  }

  /** The identity of a connection changes only if the client signs in or out. */
  #countIdentity(connection: ClientConnection, allowed: Allowed): void {
    const { identity } = connection;
    if (!identity) this.#signedIn.set(connection, this.options.clients.signedIn(allowed));
    else if (!allowed.identity) this.#signedOut(connection);
  }

  #signedOut(connection: ClientConnection): void {
    this.#admitted.get(connection)?.();
    this.#admitted.delete(connection);
    this.#endSignIn(connection);
  }

  #endSignIn(connection: ClientConnection): void {
    this.#signedIn.get(connection)?.();
    this.#signedIn.delete(connection);
  }

  #unknownRoute(path: string): Refusal {
    const paths = this.options.routes.map((route) => route.path).join(', ');
    const remedy = `${paths === '' ? 'there is no route' : `the routes are ${paths}`}: correct the URL of the client, or add a route`;
    return { status: 404, reason: 'route', message: `no route has the path ${path}`, remedy };
  }

  /** Admits no more clients. */
  close(): void {
    this.#open = false;
  }

  /** Resolves when no connection is open. */
  async empty(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => (this.#emptied = resolve));
  }
}

function authorizedFrame(
  { identity, expiresAt }: AccessOptions,
  id: RequestId | undefined,
  now: number,
): AuthorizedFrame {
  return {
    op: 'authorized',
    ...(id === undefined ? {} : { id }),
    ...(identity ? { sub: identity.sub } : {}),
    ...(expiresAt === undefined ? {} : { expiresInMs: Math.max(0, Math.round(expiresAt - now)) }),
  };
}

function admitted(verdict: Verdict, route: ServedRoute, query: Query): RouteVerdict {
  if (isRefusal(verdict)) return verdict;
  const { identity, rights } = verdict;
  return { route, query, identity, rights };
}
