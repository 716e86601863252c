import type { NewEvent, PregonEvent } from '@pregon/protocol';
import type { Connections } from '../core/connections/connections.js';
import type { Route } from '../core/routes/route.js';
import type { MessageComponent } from '../transports/component/message-component.js';
import type { MountOptions } from '../transports/component/mount-options.js';
import type { OnlySocketIoTypes, SocketIo, SocketIoTypes } from '../transports/socketio/socketio-types.js';
import type { AttachableServer } from './server/attachable-server.js';

export interface ListenOptions {
  /** @default 1234; 0 for any free one */
  readonly port?: number;
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** PEM; with both, the gateway speaks `wss` and `https`. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
}

export interface Gateway<T extends OnlySocketIoTypes<T> = SocketIoTypes> {
  /**
   * The server of Socket.IO on this gateway's port, its whole API, across all gateways of the log. A route is the namespace of the same
   * path.
   *
   * @throws PregonError CONFIG_INVALID where it was switched off
   */
  readonly io: SocketIo<T>;
  readonly routes: readonly Route[];
  /** @throws PregonError ROUTE_UNKNOWN, with the routes there are */
  connections(route: string): Connections;
  /**
   * Puts a component on a path, `/chat` or `/chat/:room`, beside the routes.
   *
   * @throws TypeError | RangeError where path, component or an option is none, or the path is taken
   */
  mount(path: string, component: MessageComponent, options?: MountOptions): void;
  /**
   * Serves its routes on a port of its own.
   *
   * @throws PregonError LISTEN_FAILED; CONFIG_INVALID where certificate or key is none
   */
  listen(options?: ListenOptions): Promise<{ host: string; port: number }>;
  /**
   * Serves its routes on an existing server and its port; all other paths stay with the server, whoever listens for them, and since
   * when. Without effect for a server that it is attached to already.
   *
   * @throws TypeError if another gateway on this server has one of the paths; one that is closing has none any more
   */
  attach(server: AttachableServer): void;
  /** Completes the event, appends it, and resolves when it is safe; the event carries its position. */
  publish(event: NewEvent): Promise<PregonEvent>;
  /** Undefined where the log can be read and clients are taken; else what is in the way. */
  readonly notReady: string | undefined;
  /**
   * Takes no more connections, tells all that it is going away, each with a delay of its own up to `spreadMs`, and closes. Never
   * takes longer than `timeoutMs`.
   *
   * @param options.spreadMs @default 2000
   * @param options.timeoutMs @default 10000
   */
  close(options?: { spreadMs?: number; timeoutMs?: number }): Promise<void>;
}
