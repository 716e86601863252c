import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { CLOSE_CODES } from '@pregon/protocol';
import type { Heartbeat } from '../../core/connections/heartbeat.js';
import type { Intake } from '../../core/incoming/intake.js';
import type { Refusal } from '../../core/ports/transport.js';
import type { RefusalLog } from '../../core/refusals/refusal-log.js';
import type { Clock } from '../../core/time/clock.js';
import { newConnectionId } from '../connection-id.js';
import type { Entrance } from '../entrance.js';
import type { Claim } from '../http/claim.js';
import { corsHeaders } from '../http/cors.js';
import { refuseOrigin } from '../http/origins.js';
import { targetPath } from '../http/query.js';
import { logRefusal, ONLY_GET, refuseRequest, refuseUpgrade, wrongHandshake } from '../http/refusal.js';
import { guard, unguard } from '../sockets/guarded-socket.js';
import type { PacedSocket } from '../sockets/paced-socket.js';
import type { ComponentConnection, ComponentRequest } from './component-connection.js';
import type { MessageComponent } from './message-component.js';
import { Mount } from './mount.js';
import type { MountOptions } from './mount-options.js';
import { WebSocketConnection } from './websocket-connection.js';

export interface ComponentEntranceOptions {
  readonly heartbeat: Heartbeat;
  readonly clock: Clock;
  readonly intake: Intake;
  /** The largest message taken from a client, in bytes. */
  readonly maxFrameBytes: number;
  /** Where a component has none of its own. */
  readonly allowedOrigins: readonly string[] | undefined;
  readonly refusals: RefusalLog;
  /** @throws TypeError if a path of the claim is served by another entrance, or by another gateway on the same server */
  readonly assertFree: (claim: Claim, entrance: Entrance) => void;
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
  readonly #connections = new Map<WebSocketConnection, PacedSocket>();
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
    const taken = this.#mounts.find(({ pattern }) => pattern.shape === mount.pattern.shape);
    if (taken) throw new TypeError(`${path} cannot be mounted: ${taken.pattern.text} is there already`);
    this.#options.assertFree(mount.pattern.claim, this);
    this.#mounts.push(mount);
  }

  get claims(): readonly Claim[] {
    return this.#mounts.map(({ pattern }) => pattern.claim);
  }

  knows(target: string | undefined): boolean {
    const path = targetPath(target);
    return this.#mounts.some(({ pattern }) => pattern.match(path) !== undefined);
  }

  arrives(): boolean {
    return true;
  }

  request(request: IncomingMessage, response: ServerResponse): void {
    const admission = this.#admit(request);
    const found = this.#find(targetPath(request.url));
    const cors = corsHeaders(request, found?.mount.allowedOrigins ?? this.#options.allowedOrigins);
    const refusal =
      'mount' in admission
        ? { status: 426, reason: 'handshake', message: 'connect by WebSocket', headers: { Upgrade: 'websocket' } }
        : admission;
    logRefusal(this.#options.refusals, request, refusal);
    refuseRequest(response, refusal, cors);
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
    const path = targetPath(url);
    const found = this.#find(path);
    if (!found) return { status: 404, reason: 'route', message: `nothing is mounted at ${path}` };
    if (request.method !== 'GET') return ONLY_GET;
    if (!this.#open) return { status: 503, message: 'the server is going away', headers: { 'Retry-After': '1' } };
    const { mount, parameters } = found;
    const remoteAddress = request.socket.remoteAddress ?? 'unknown';
    if (mount.blocks(remoteAddress)) {
      const remedy = 'blockedAddresses of the component has it';
      return { status: 403, reason: 'address', message: `${remoteAddress} may not connect`, remedy };
    }
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
    guard(socket);
    const admission = this.#admit(request);
    const refusal = 'mount' in admission ? wrongHandshake(request) : admission;
    if (refusal) {
      logRefusal(this.#options.refusals, request, refusal);
      return refuseUpgrade(socket, refusal);
    }
    if (!('mount' in admission)) return;
    admission.mount.server.handleUpgrade(request, socket, head, (client) => {
      unguard(socket);
      this.#enter(client, socket, admission);
    });
  }

  #enter(client: PacedSocket, socket: Socket, { mount, request }: Admitted): void {
    const { clock, heartbeat, intake, maxFrameBytes, onBroken } = this.#options;
    client.pace(intake, maxFrameBytes);
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
