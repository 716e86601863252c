import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { CLOSE_CODES, messageOf } from '@pregon/protocol';
import type { AddressOf } from '../../core/admission/admission-request.js';
import { isRefusal, type Verdict } from '../../core/admission/decision.js';
import { Expiry } from '../../core/connections/expiry.js';
import type { Heartbeat } from '../../core/connections/heartbeat.js';
import type { RevocationWatch } from '../../core/connections/revocable.js';
import type { Intake } from '../../core/incoming/intake.js';
import type { Identity, Refusal } from '../../core/ports/admission.js';
import type { RefusalLog } from '../../core/refusals/refusal-log.js';
import type { Clock } from '../../core/time/clock.js';
import { newConnectionId } from '../connection-id.js';
import type { Entrance } from '../entrance.js';
import { expiryTime } from '../expiry-time.js';
import type { Claim } from '../http/claim.js';
import { corsHeaders } from '../http/cors.js';
import { targetPath } from '../http/query.js';
import { logRefusal, ONLY_GET, refuseRequest, refuseUpgrade, wrongHandshake } from '../http/refusal.js';
import { guard, unguard } from '../sockets/guarded-socket.js';
import type { PacedSocket } from '../sockets/paced-socket.js';
import { closeRefused, hasCloseCode } from '../sockets/refused-socket.js';
import type { ComponentConnection, ComponentRequest } from './component-connection.js';
import type { MessageComponent } from './message-component.js';
import { Mount, type MountAccess } from './mount.js';
import type { MountOptions } from './mount-options.js';
import { WebSocketConnection } from './websocket-connection.js';

export interface ComponentEntranceOptions {
  readonly heartbeat: Heartbeat;
  readonly clock: Clock;
  readonly intake: Intake;
  /** How long rights outlive the identity, in milliseconds. @default 5000 */
  readonly leewayMs?: number | undefined;
  /** Ends connections whose identity is revoked. @default none is */
  readonly revocations?: RevocationWatch | undefined;
  /** The largest message that is accepted from a client, in bytes. */
  readonly maxFrameBytes: number;
  /** Returns the admissions of a component that is mounted with these options. */
  readonly accessOf: (options: MountOptions) => MountAccess;
  readonly addressOf: AddressOf;
  readonly refusals: RefusalLog;
  /**
   * @throws TypeError if a path of the claim is served by another entrance, or by another gateway on the same server
   */
  readonly assertFree: (claim: Claim, entrance: Entrance) => void;
  /** Called if `onError` of a component throws or rejects. */
  readonly onBroken: (connection: ComponentConnection, error: Error) => void;
}

interface Admitted {
  readonly mount: Mount;
  readonly request: ComponentRequest;
  readonly identity: Identity | undefined;
}

const GOING_AWAY: Refusal = { status: 503, message: 'the server is going away', headers: { 'Retry-After': '1' } };

const ONLY_WEBSOCKET: Refusal = {
  status: 426,
  reason: 'handshake',
  message: 'connect by WebSocket',
  headers: { Upgrade: 'websocket' },
};

/** The entrance at the paths of the components. */
export class ComponentEntrance implements Entrance {
  readonly #options: ComponentEntranceOptions;
  readonly #mounts: Mount[] = [];
  readonly #expiry: Expiry;
  readonly #connections = new Map<WebSocketConnection, PacedSocket>();
  #open = true;
  #emptied: (() => void) | undefined;

  constructor(options: ComponentEntranceOptions) {
    this.#options = options;
    const { clock, intake, leewayMs } = options;
    this.#expiry = new Expiry({ clock, wallClock: Date.now, turn: intake.turn, random: Math.random, leewayMs });
  }

  /**
   * Mounts a component on a path. If several patterns match, the component that was mounted first gets the connection.
   *
   * @throws TypeError | RangeError if the path, the component or an option is not valid, or the path is in use
   */
  mount(path: string, component: MessageComponent, options: MountOptions): void {
    const access = this.#options.accessOf(options);
    const mount = new Mount(path, component, { ...options, ...access }, this.#options.maxFrameBytes);
    const taken = this.#mounts.find(({ pattern }) => pattern.shape === mount.pattern.shape);
    if (taken) throw new TypeError(`${path} cannot be mounted: ${taken.pattern.text} already uses the path`);
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
    const origins = this.#find(targetPath(request.url))?.mount.origins;
    this.#whenDecided(request, response, (verdict) => {
      const refusal = 'mount' in verdict ? ONLY_WEBSOCKET : verdict;
      logRefusal(this.#options.refusals, request, refusal);
      refuseRequest(response, refusal, origins && corsHeaders(request, origins));
    });
  }

  /** Refuses a stream that is not a socket of the operating system. */
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    if (stream instanceof Socket) this.#upgrade(request, stream, head);
    else stream.destroy();
  }

  /** Accepts no more connections, closes all connections with 4000, and resolves when they have ended. */
  async close(): Promise<void> {
    this.#open = false;
    for (const connection of [...this.#connections.keys()]) connection.end(CLOSE_CODES.DRAINING);
    if (this.#connections.size > 0) await new Promise<void>((resolve) => (this.#emptied = resolve));
  }

  destroy(): void {
    for (const client of this.#connections.values()) client.terminate();
  }

  /** If `proceed` fails after a delayed decision, only this client loses its connection. */
  #whenDecided(
    request: IncomingMessage,
    carrier: { destroy(): unknown },
    proceed: (verdict: Admitted | Refusal) => void,
  ): void {
    const verdict = this.#admit(request);
    if (!(verdict instanceof Promise)) return proceed(verdict);
    verdict
      .then((late) => proceed(this.#open || !('mount' in late) ? late : GOING_AWAY))
      .catch((error: unknown) => {
        const message = `a component could not take a client: ${messageOf(error)}`;
        logRefusal(this.#options.refusals, request, { status: 500, reason: 'component', message });
        carrier.destroy();
      });
  }

  #admit(request: IncomingMessage): Admitted | Refusal | Promise<Admitted | Refusal> {
    const url = request.url ?? '/';
    const path = targetPath(url);
    const found = this.#find(path);
    if (!found) return { status: 404, reason: 'route', message: `nothing is mounted at ${path}` };
    if (request.method !== 'GET') return ONLY_GET;
    if (!this.#open) return GOING_AWAY;
    const { mount, parameters } = found;
    const { headers, socket } = request;
    const admitted = (verdict: Verdict): Admitted | Refusal => {
      if (isRefusal(verdict)) return verdict;
      const query = new URLSearchParams(url.split('?').slice(1).join('?'));
      const remoteAddress = this.#options.addressOf(request);
      const { identity } = verdict;
      return { mount, identity, request: { url, path, parameters, query, headers, remoteAddress } };
    };
    const verdict = mount.admission.decide({ request, entrance: mount.entrance, isGone: () => socket.destroyed });
    return verdict instanceof Promise ? verdict.then(admitted) : admitted(verdict);
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
    this.#whenDecided(request, socket, (verdict) => {
      const admitted = 'mount' in verdict ? verdict : undefined;
      const refusal = 'mount' in verdict ? wrongHandshake(request) : verdict;
      if (refusal) return this.#refuse(request, socket, head, refusal);
      admitted?.mount.server.handleUpgrade(request, socket, head, (client) => {
        unguard(socket);
        this.#enter(client, socket, admitted);
      });
    });
  }

  /** A page cannot read the status of a handshake, so one of an allowed origin is told by a close code. */
  #refuse(request: IncomingMessage, socket: Socket, head: Buffer, refusal: Refusal): void {
    const { intake, refusals } = this.#options;
    logRefusal(refusals, request, refusal);
    const { headers, url } = request;
    const mount = this.#find(targetPath(url))?.mount;
    const isTold = headers.origin !== undefined && hasCloseCode(refusal) && !wrongHandshake(request);
    if (!isTold || !mount?.origins.allows(headers)) return refuseUpgrade(socket, refusal);
    mount.server.handleUpgrade(request, socket, head, (client) => closeRefused(client, socket, intake, refusal));
  }

  #enter(client: PacedSocket, socket: Socket, { mount, request, identity }: Admitted): void {
    const { clock, heartbeat, intake, maxFrameBytes, onBroken } = this.#options;
    client.pace(intake, maxFrameBytes);
    const { component, maxBufferedBytes } = mount;
    const id = newConnectionId();
    const connection = new WebSocketConnection(client, socket, {
      id,
      request,
      identity,
      expiresAt: expiryTime(identity, clock.now()),
      component,
      maxBufferedBytes,
      clock,
      onBroken,
    });
    this.#connections.set(connection, client);
    heartbeat.add(connection);
    this.#expiry.add(connection);
    client.on('message', (data, isBinary) => connection.received(data, isBinary));
    client.on('pong', () => connection.heard());
    // `ws` limits how many of its pongs may wait to be sent.
    client.on('ping', () => connection.heard());
    client.on('error', (error) => connection.failed(error));
    client.on('close', (code, reason) => this.#leave(connection, code, reason.toString()));
    connection.opened();
    this.#options.revocations?.add(connection);
  }

  #leave(connection: WebSocketConnection, code: number, reason: string): void {
    this.#connections.delete(connection);
    this.#options.heartbeat.delete(connection);
    this.#expiry.delete(connection);
    this.#options.revocations?.delete(connection);
    connection.closed(code, reason);
    if (this.#connections.size === 0) this.#emptied?.();
  }
}
