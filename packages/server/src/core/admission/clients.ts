import type { Allowed, Refusal } from '../ports/admission.js';
import type { AddressOf, HttpRequest } from './admission-request.js';

/** What a client occupies: the response to its request, the socket of its upgrade, or a session of several requests. */
export interface Carrier {
  /** Whether `close` was emitted. */
  readonly closed: boolean;
  once(event: 'close', listener: () => void): unknown;
}

/** Counts clients by address and by identity, from their first request until they have left. */
export interface Clients {
  readonly addressOf: AddressOf;
  /**
   * Counts a client for its address until the carrier has closed. If a client has several carriers, it counts once,
   * until the last one has closed.
   */
  keep(request: HttpRequest, carrier: Carrier): void;
  /** Refuses a new client if its address exceeds a limit. Counts each request once, however often it is called. */
  arrived(request: HttpRequest): Refusal | undefined;
  /** Counts the client for its identity as well. Refuses it if that identity has too many connections. */
  identified(request: HttpRequest, allowed: Allowed): Refusal | undefined;
  /**
   * Counts a client that signs in on its open connection, for which `identified` was asked before.
   * @returns a function that ends the count; call it once
   */
  signedIn(allowed: Allowed): () => void;
  /**
   * For a client that may sign out of the identity with which it was admitted, and stay connected.
   * @returns a function that ends its count for that identity; undefined if it has none
   */
  signOut(request: HttpRequest): (() => void) | undefined;
  /** Begins the wait for a decision. Refuses the client if too many of its address wait; otherwise, call `waited` later. */
  waits(request: HttpRequest): Refusal | undefined;
  waited(request: HttpRequest): void;
}

/** Clients without limits. */
export function uncounted(addressOf: AddressOf): Clients {
  return {
    addressOf,
    keep() {},
    arrived() {},
    identified() {},
    signedIn: () => () => {},
    signOut() {},
    waits() {},
    waited() {},
  };
}
