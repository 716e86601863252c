import type { BlockTarget, NewEvent, PregonEvent, RevocationTarget, RevokedSubject } from '@pregon/protocol';
import type { Connections } from '../core/connections/connections.js';
import type { Route } from '../core/routes/route.js';
import type { MessageComponent } from '../transports/component/message-component.js';
import type { MountOptions } from '../transports/component/mount-options.js';
import type { OnlySocketIoTypes, SocketIo, SocketIoTypes } from '../transports/socketio/socketio-types.js';
import type { AttachableServer } from './server/attachable-server.js';

export interface ListenOptions {
  /** 0 selects any free port. @default 1234 */
  readonly port?: number;
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** PEM. If both `cert` and `key` are given, the gateway serves `wss` and `https`. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
}

export interface Gateway<T extends OnlySocketIoTypes<T> = SocketIoTypes> {
  /**
   * The Socket.IO server on this gateway's port, with its whole API, across all gateways of the log. A route is the
   * namespace with the same path.
   *
   * @throws PregonError CONFIG_INVALID if this gateway does not serve Socket.IO
   */
  readonly io: SocketIo<T>;
  readonly routes: readonly Route[];
  /** The connections of a route. @throws PregonError ROUTE_UNKNOWN, which lists the existing routes */
  connections(route: string): Connections;
  /**
   * Mounts a component on a path, `/chat` or `/chat/:room`, beside the routes.
   *
   * @throws TypeError | RangeError if the path, the component or an option is not valid, or the path is in use
   */
  mount(path: string, component: MessageComponent, options?: MountOptions): void;
  /**
   * Listens on a port of its own.
   *
   * @returns the host and the port, which matters if `port` was 0
   * @throws PregonError LISTEN_FAILED; CONFIG_INVALID if the certificate or key is not valid
   */
  listen(options?: ListenOptions): Promise<{ host: string; port: number }>;
  /**
   * Serves the routes on an existing server. All other paths stay with the listeners of that server, whenever they were
   * added. Does nothing if it is already attached to this server.
   *
   * @throws TypeError if another gateway on this server has one of the paths; a closing gateway has none
   */
  attach(server: AttachableServer): void;
  /**
   * Completes the event with an id and a time, appends it, and resolves when the log has stored it safely. The result
   * has a position.
   */
  publish(event: NewEvent): Promise<PregonEvent>;
  /**
   * Ends tokens before they expire, on all gateways of the log. Their open connections get nothing more within a second,
   * on any transport, and are closed with 4506 REVOKED; new ones are refused.
   *
   * @param target `{ iss, sub }`: the tokens of a subject that were issued until now. `{ iss, jti }`: one token.
   *   `{ iss, issuedBefore }`: the older tokens of an issuer
   * @returns resolves when the log has stored it safely
   * @throws TypeError | RangeError if the target is not valid
   * @throws PregonError KEPT_FULL | CONFIG_INVALID if this process may not write to the log | LOG_UNAVAILABLE | LOG_CLOSED
   * @example
   * await gateway.revoke({ iss: 'shop', sub: '42' }); // signs user 42 out everywhere
   */
  revoke(target: RevocationTarget): Promise<void>;
  /**
   * Ends all tokens of a subject, as {@link Gateway.revoke} does, and refuses newer ones until a time. A later call
   * replaces the time.
   *
   * @throws as {@link Gateway.revoke}
   * @example
   * await gateway.block({ iss: 'shop', sub: '42', until: Date.now() + 7 * 86_400_000 });
   */
  block(target: BlockTarget): Promise<void>;
  /** Lifts a block, if there is one. @throws as {@link Gateway.revoke} */
  unblock(subject: RevokedSubject): Promise<void>;
  /** Why the gateway is not ready; undefined if the log can be read and clients are accepted. */
  readonly notReady: string | undefined;
  /**
   * Accepts no more connections, tells every client a random reconnect delay of up to `spreadMs`, and closes. Takes at
   * most `timeoutMs`.
   *
   * @param options.spreadMs milliseconds. Default: 2000
   * @param options.timeoutMs milliseconds. Default: 10000
   */
  close(options?: { spreadMs?: number; timeoutMs?: number }): Promise<void>;
}
