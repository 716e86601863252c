import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { CLOSE_CODES } from '@pregon/protocol';
import type { WebSocket } from 'ws';
import type { Clock } from '../../core/clock.js';
import type { Heartbeat } from '../../core/heartbeat.js';
import { newConnectionId } from '../../transports/connection-id.js';
import type { Entrance } from '../../transports/entrance.js';
import { refuseOrigin } from '../../transports/origins.js';
import { parseTarget } from '../../transports/query.js';
import { type Refusal, refuseRequest, refuseUpgrade, wrongHandshake } from '../../transports/refusal.js';
import type { ComponentConnection, ComponentRequest } from './component-connection.js';
import type { MessageComponent } from './message-component.js';
import { Mount } from './mount.js';
import type { MountOptions } from './mount-options.js';
import { WebSocketConnection } from './websocket-connection.js';

export interface ComponentEntranceOptions {
  readonly heartbeat: Heartbeat;
  readonly clock: Clock;
  /** The largest message taken from a client, in bytes. */
  readonly maxFrameBytes: number;
  /** Where a component has none of its own. */
  readonly allowedOrigins: readonly string[] | undefined;
  /** Paths that are somebody else's. */
  readonly takenPaths: readonly string[];
  /** Is told what `onError` of a component throws. */
  readonly onBroken: (connection: ComponentConnection, error: Error) => void;
}

interface Admitted {
  readonly mount: Mount;
  readonly request: ComponentRequest;
}

/** The paths of the components. */
export class ComponentEntrance implements Entrance {
  readonly #options: ComponentEntranceOptions;
  readonly #mounts: Mount[] = [];
  readonly #connections = new Map<WebSocketConnection, WebSocket>();
  #open = true;
  #emptied: (() => void) | undefined;

  constructor(options: ComponentEntranceOptions) {
    this.#options = options;
  }

  /**
   * Puts a component on a path. Where several match, the one that was mounted first takes the connection.
   *
   * @throws TypeError | RangeError where path, component or an option is none, or the path is taken
   */
  mount(path: string, component: MessageComponent, options: MountOptions): void {
    const mount = new Mount(path, component, options, this.#options.maxFrameBytes);
    const taken =
      this.#options.takenPaths.find((other) => mount.pattern.match(other)) ??
      this.#mounts.find(({ pattern }) => pattern.shape === mount.pattern.shape)?.pattern.text;
    if (taken !== undefined) throw new TypeError(`${path} cannot be mounted: ${taken} is there already`);
    this.#mounts.push(mount);
  }

  knows(target: string | undefined): boolean {
    const { path } = parseTarget(target ?? '/');
    return this.#mounts.some(({ pattern }) => pattern.match(path) !== undefined);
  }

  arrives(): boolean {
    return true;
  }

  request(request: IncomingMessage, response: ServerResponse): void {
    const admission = this.#admit(request);
    if (!('mount' in admission)) return refuseRequest(response, admission);
    refuseRequest(response, { status: 426, message: 'connect by WebSocket', headers: { Upgrade: 'websocket' } });
  }

  /** A stream that is no socket of the operating system is refused. */
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    if (stream instanceof Socket) this.#upgrade(request, stream, head);
    else stream.destroy();
  }

  /** Takes nobody any more, sends all away with 4000, and resolves when they are gone. */
  async close(): Promise<void> {
    this.#open = false;
    for (const connection of [...this.#connections.keys()]) connection.end(CLOSE_CODES.DRAINING);
    if (this.#connections.size > 0) await new Promise<void>((resolve) => (this.#emptied = resolve));
  }

  destroy(): void {
    for (const client of this.#connections.values()) client.terminate();
  }

  #admit(request: IncomingMessage): Admitted | Refusal {
    const url = request.url ?? '/';
    const { path } = parseTarget(url);
    const found = this.#find(path);
    if (!found) return { status: 404, message: `nothing is mounted at ${path}` };
    if (request.method !== 'GET') return { status: 405, message: 'only GET is taken here', headers: { Allow: 'GET' } };
    if (!this.#open) return { status: 503, message: 'the server is going away', headers: { 'Retry-After': '1' } };
    const { mount, parameters } = found;
    const remoteAddress = request.socket.remoteAddress ?? 'unknown';
    if (mount.blocks(remoteAddress)) return { status: 403, message: `${remoteAddress} may not connect` };
    const { headers } = request;
    const refusal = refuseOrigin(headers, mount.allowedOrigins ?? this.#options.allowedOrigins);
    if (refusal) return refusal;
    const query = new URLSearchParams(url.split('?').slice(1).join('?'));
    return { mount, request: { url, path, parameters, query, headers, remoteAddress } };
  }

  #find(path: string): { mount: Mount; parameters: ComponentRequest['parameters'] } | undefined {
    for (const mount of this.#mounts) {
      const parameters = mount.pattern.match(path);
      if (parameters) return { mount, parameters };
    }
    return undefined;
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    // Until the connection has a reader of its own, a socket that breaks concerns nobody.
    const ignore = () => socket.destroy();
    socket.on('error', ignore);
    const admission = this.#admit(request);
    if (!('mount' in admission)) return refuseUpgrade(socket, admission);
    const wrong = wrongHandshake(request);
    if (wrong) return refuseUpgrade(socket, wrong);
    admission.mount.server.handleUpgrade(request, socket, head, (client) => {
      socket.off('error', ignore);
      this.#enter(client, socket, admission);
    });
  }

  #enter(client: WebSocket, socket: Socket, { mount, request }: Admitted): void {
    const { clock, heartbeat, onBroken } = this.#options;
    const { component, maxBufferedBytes } = mount;
    const id = newConnectionId();
    const connection = new WebSocketConnection(client, socket, {
      id,
      request,
      component,
      maxBufferedBytes,
      clock,
      onBroken,
    });
    this.#connections.set(connection, client);
    heartbeat.add(connection);
    client.on('message', (data, isBinary) => connection.received(data, isBinary));
    client.on('pong', () => connection.heard());
    // How many answers to pings may wait to be read is limited by ws.
    client.on('ping', () => connection.heard());
    client.on('error', (error) => connection.failed(error));
    client.on('close', (code, reason) => this.#leave(connection, code, reason.toString()));
    connection.opened();
  }

  #leave(connection: WebSocketConnection, code: number, reason: string): void {
    this.#connections.delete(connection);
    this.#options.heartbeat.delete(connection);
    connection.closed(code, reason);
    if (this.#connections.size === 0) this.#emptied?.();
  }
}
