import type { IncomingHttpHeaders } from 'node:http';

/** The HTTP answer to a client that is not admitted, and the log line about it. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  /** The word under which it is logged. Without one it is not logged: nothing is wrong, for example if the gateway is draining. */
  readonly reason?: string;
  /** What the operator can do. It is logged, and not sent to the client. */
  readonly remedy?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Who a connection belongs to: a subject, as an issuer names it. Two identities are the same if both names are. */
export interface Identity {
  /** The issuer that vouches for the subject: `iss` of a token (RFC 7519 section 4.1.1), or a name that the application chose. */
  readonly iss: string;
  /** The subject, unique within its issuer (RFC 7519 section 4.1.2). */
  readonly sub: string;
  /** What else the issuer says about the subject. @default {} */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** When the identity ends, in milliseconds since 1970-01-01 UTC. @default never */
  readonly expiresAtMs?: number;
}

/** Where a client asks to come in. */
export interface EntranceName {
  readonly kind: 'route' | 'socket.io' | 'component' | 'http' | (string & {});
  /** The name of the route, the path of Socket.IO, the path pattern of the component, the path of the HTTP port. */
  readonly name: string;
}

/** What is known of a client before it is admitted. */
export interface AdmissionRequest {
  readonly entrance: EntranceName;
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<IncomingHttpHeaders>;
  readonly remoteAddress: string;
  /** A token that came in the way of a transport: `auth.token` of Socket.IO. Headers and cookies are in {@link headers}. */
  readonly token?: unknown;
  /** False for a request of a session that was admitted before: Socket.IO's long polling sends many. */
  readonly isNew: boolean;
}

/** What a client may do on one route. */
export interface Rights {
  /** The topic patterns that the client may subscribe to: each event that it gets matches at least one. */
  readonly subscribe: readonly string[];
  /** The names of messages that the client may send; an unnamed message is called `message`. */
  readonly send: ReadonlySet<string> | 'any';
  /** Whether a message of the client may be relayed to the other connections of a route with `broadcast`. */
  readonly broadcast: boolean;
  /** Whether the client is a service: the limits per identity do not apply to it. */
  readonly isService: boolean;
  /** Equal for equal rights, whatever the identity: connections with equal rights are one audience. */
  readonly key: string;
}

/** Lets the client go on to the next admission; with an identity, that is from now on its own. */
export interface Allowed {
  readonly identity?: Identity;
  /** What the client may do on the route that it asks for. @default everything, or the rights of an earlier admission */
  readonly rights?: Rights;
}

/** `undefined` says the same as an {@link Allowed} without identity. */
export type Decision = Allowed | Refusal | undefined;

/**
 * A rule that decides whether a client may come in: `createGateway({ admissions: [admission] })`. Every entrance asks: WebSocket,
 * Server-Sent Events, Socket.IO (also for each request of long polling), components, and the HTTP port.
 *
 * Guarantees of the gateway:
 * - Admissions are asked in order, before anything that costs much; the first refusal ends it.
 * - If no admission returns a promise, nothing waits: the client is connected in the same turn of the event loop.
 * - A client that waits for a promise is no connection: it opens no handler and gets no message. At most 1,000 clients wait at once, and
 *   none for longer than 5 seconds; all others are refused with 503.
 * - An admission that throws, rejects, or returns anything else than a {@link Decision} refuses the client with 503. It never admits one.
 *
 * @example
 * const members: Admission = {
 *   name: 'members',
 *   async admit({ headers }) {
 *     const user = await sessions.find(headers.cookie);
 *     if (!user) return { status: 401, reason: 'session', message: 'sign in first' };
 *     return { identity: { iss: 'shop', sub: user.id } };
 *   },
 * };
 */
export interface Admission {
  /** Says in log lines which admission failed. */
  readonly name: string;
  /** @param identity the identity that an earlier admission has found */
  admit(request: AdmissionRequest, identity: Identity | undefined): Decision | Promise<Decision>;
}
