import type { IncomingHttpHeaders } from 'node:http';
import type { CloseCode } from '@pregon/protocol';
import type { Rights } from './rights.js';

/** The HTTP answer to a client that is not admitted, and the log line about it. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  /**
   * The category under which the refusal is logged. Without a reason it is not logged: nothing is wrong, for example if
   * the gateway is draining.
   */
  readonly reason?: string;
  /** What the operator can do. Logged, but not sent to the client. */
  readonly remedy?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * How a WebSocket client learns of the refusal that cannot read an HTTP status, as a page in a browser: the handshake
   * is completed, and closed at once with this code. Used for clients that offer `pregon.v1` or send an allowed `Origin`.
   *
   * @default the handshake is answered with the status
   */
  readonly close?: CloseCode;
  /**
   * Whether the client may still show a token. A client of `pregon.v1` then has 5 seconds to do so, in an `auth` frame
   * that is its first frame. Other clients are refused at once.
   *
   * @default false
   */
  readonly awaitsToken?: boolean;
}

/**
 * The owner of a connection: a subject, as named by its issuer. Two identities are the same if both names are equal.
 */
export interface Identity {
  /**
   * The issuer that vouches for the subject: `iss` of a token (RFC 7519 section 4.1.1), or a name that the application
   * chose.
   */
  readonly iss: string;
  /** The subject, unique within its issuer (RFC 7519 section 4.1.2). */
  readonly sub: string;
  /** Other statements of the issuer about the subject. @default {} */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** When the identity ends, in milliseconds since 1970-01-01 UTC. @default never */
  readonly expiresAtMs?: number;
  /**
   * When the issuer vouched for the subject, in milliseconds since 1970-01-01 UTC: `iat` of a token (RFC 7519 section
   * 4.1.6). A revocation of a subject ends what was issued until then. @default when the gateway asked for the identity
   */
  readonly issuedAtMs?: number;
  /** The id of the token, unique within its issuer (RFC 7519 section 4.1.7), so that it can be revoked alone. @default none */
  readonly jti?: string;
}

/** The entrance that a client asks for. */
export interface EntranceName {
  readonly kind: 'route' | 'socket.io' | 'component' | 'http' | (string & {});
  /**
   * The name of the route or of the namespace (kind `namespace`), the path of Socket.IO, the path pattern of the
   * component, or the path of the HTTP port.
   */
  readonly name: string;
}

/** What is known about a client before it is admitted. */
export interface AdmissionRequest {
  readonly entrance: EntranceName;
  readonly method: string;
  /** Path and query, as sent; with `auth`, without a ticket. */
  readonly url: string;
  /** `1.1`, `2.0`; `1.0` comes from a program, or from a proxy that does not say so in any other way. */
  readonly httpVersion: string;
  /** Names in lower case. */
  readonly headers: Readonly<IncomingHttpHeaders>;
  /**
   * The address of the client: that of its socket or, behind one of `trustedProxies`, the one that the proxy reports.
   * `unknown` if there is none, as for a Unix socket.
   */
  readonly remoteAddress: string;
  /**
   * A token that came in the way of a transport: `auth.token` of Socket.IO, or an `auth` frame of `pregon.v1`, which asks
   * all admissions again. Then {@link headers} have neither `Authorization` nor `Cookie`, and the token is null for a
   * client that signs out.
   */
  readonly token?: unknown;
  /** With `auth`: the ticket of the URL, from a page that cannot send its token in a header. @default none */
  readonly ticket?: string | undefined;
  /** False for a request of a session that was admitted before: Socket.IO's long polling sends many. */
  readonly isNew: boolean;
  /** Whether the client is connected with an identity already, and shows another token. @default false */
  readonly isRenewal?: boolean | undefined;
}

/** Passes the client on to the next admission. If an identity is given, it becomes the client's identity. */
export interface Allowed {
  readonly identity?: Identity;
  /** The rights of the client on the requested route. @default the rights of an earlier admission, or else all rights */
  readonly rights?: Rights;
}

/** `undefined` means the same as an {@link Allowed} without identity and rights. */
export type Decision = Allowed | Refusal | undefined;

/**
 * A rule that decides whether a client may connect: `createGateway({ admissions: [admission] })`. Every entrance asks:
 * WebSocket, Server-Sent Events, Socket.IO (also for each request of long polling), components, and the HTTP port.
 *
 * Guarantees of the gateway:
 * - Admissions are asked in order, before any expensive work. The first refusal ends the sequence.
 * - If no admission returns a promise, nothing waits: the client is connected in the same turn of the event loop.
 * - A client that waits for a promise is not a connection: it opens no handler and gets no message. At most `maxPending`
 *   clients wait at once, and none for longer than 5 seconds; all others are refused with 503. Those beyond
 *   `maxPendingPerAddress` are refused with 429. If so many wait already, no admission of the application is asked about
 *   a new client.
 * - An admission that throws, rejects, or returns anything other than a {@link Decision} refuses the client with 503.
 *   It never admits a client.
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
  /** Names the admission in log lines about its failures. */
  readonly name: string;
  /** @param identity the identity that an earlier admission returned */
  admit(request: AdmissionRequest, identity: Identity | undefined): Decision | Promise<Decision>;
}

/**
 * Access to an entrance without rules of its own, such as a component: every client whose origin is allowed, clients with
 * an identity, or every client, because the application's own code decides.
 */
export type EntranceAccess = 'public' | 'authenticated' | 'application';

/** Finds the identity of a client by the application's own means, such as a session. Undefined if there is none. */
export type Verify = (request: AdmissionRequest) => Identity | undefined | Promise<Identity | undefined>;
