import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Refusal } from '../../core/ports/transport.js';
import { replaceUpgradeDecision, upgradeDecision } from '../../private-fields/node-http.js';
import { type Claim, overlap } from '../../transports/http/claim.js';
import { refuseRequest, refuseUpgrade } from '../../transports/http/refusal.js';
import { guard } from '../../transports/sockets/guarded-socket.js';
import type { AttachableServer } from './attachable-server.js';
import { asksForWebSocket, ignoreUpgrade } from './ignored-upgrade.js';
import { PipelinedRequests } from './pipelined-requests.js';

/** A user of a server that answers some of its paths. */
export interface Tenant {
  readonly claims: readonly Claim[];
  /** The tenant is closing: it still answers, but another tenant may have its paths, and then takes precedence. */
  readonly isLeaving: boolean;
  /** Whether this tenant owns the request target. */
  owns(target: string | undefined): boolean;
  request(request: IncomingMessage, response: ServerResponse): void;
  /** Handles a WebSocket handshake; the socket has an `error` listener. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Called for a WebSocket handshake whose path nothing on the server takes. */
  refused?(request: IncomingMessage, refusal: Refusal): void;
}

const REQUESTS = new Set<unknown>(['request', 'checkContinue', 'checkExpectation']);

const sharedServers = new WeakMap<AttachableServer, SharedServer>();

/**
 * Node.js parses upgrades only if there is a listener for `upgrade`. This listener is never called for paths of
 * tenants, and does nothing for other paths.
 */
function listensForUpgrades(): void {}

/**
 * An HTTP server whose paths are shared by tenants and its own listeners. The owner of a request is determined before
 * any listener is called. So the order in which listeners are added does not matter, and no listener is moved, hidden
 * or called twice.
 */
export class SharedServer {
  readonly #server: AttachableServer;
  readonly #tenants: Tenant[] = [];
  readonly #emit = this.#intercept();
  readonly #pipelined = new PipelinedRequests();
  /** The server's own `emit` property, if it had one in place of the class's method. */
  #before: PropertyDescriptor | undefined;
  #intercepts = false;
  #shouldUpgradeBefore: unknown;

  /** @returns the instance for this server */
  static of(server: AttachableServer): SharedServer {
    const known = sharedServers.get(server);
    if (known) return known;
    const shared = new SharedServer(server);
    sharedServers.set(server, shared);
    return shared;
  }

  private constructor(server: AttachableServer) {
    this.#server = server;
  }

  /** @throws TypeError if another tenant has one of its paths */
  add(tenant: Tenant): void {
    if (this.#tenants.includes(tenant)) return;
    for (const claim of tenant.claims) this.assertFree(claim, tenant);
    this.#tenants.push(tenant);
    if (this.#tenants.length === 1) this.#install();
  }

  remove(tenant: Tenant): void {
    const at = this.#tenants.indexOf(tenant);
    if (at === -1) return;
    this.#tenants.splice(at, 1);
    if (this.#tenants.length === 0) this.#uninstall();
  }

  /** @throws TypeError if another tenant has a path of the claim */
  assertFree(claim: Claim, tenant: Tenant): void {
    const others = this.#tenants.filter((other) => other !== tenant && !other.isLeaving);
    const taken = others.flatMap(({ claims }) => claims).find((other) => overlap(claim, other));
    if (!taken) return;
    throw new TypeError(
      `${claim.text} is served on this server already, as ${taken.text}: first close the gateway that serves it, or choose another path`,
    );
  }

  #install(): void {
    const server: EventEmitter = this.#server;
    if (!this.#intercepts) {
      this.#intercepts = true;
      this.#before = Object.getOwnPropertyDescriptor(server, 'emit');
      define(server, 'emit', this.#emit);
    }
    server.on('upgrade', listensForUpgrades);
    server.on('removeListener', this.#keepListening);
    // Since Node.js 24.9, the server decides for each request whether it is an upgrade. Earlier versions only need a
    // listener.
    this.#shouldUpgradeBefore = upgradeDecision(server);
    if (typeof this.#shouldUpgradeBefore === 'function') replaceUpgradeDecision(server, this.#shouldUpgrade);
  }

  #uninstall(): void {
    const server: EventEmitter = this.#server;
    server.off('removeListener', this.#keepListening);
    server.off('upgrade', listensForUpgrades);
    if (upgradeDecision(server) === this.#shouldUpgrade) replaceUpgradeDecision(server, this.#shouldUpgradeBefore);
    // If `emit` was wrapped by other code since then, all events keep passing through this function.
    if (Object.getOwnPropertyDescriptor(server, 'emit')?.value !== this.#emit) return;
    this.#intercepts = false;
    if (this.#before) Object.defineProperty(server, 'emit', this.#before);
    else Reflect.deleteProperty(server, 'emit');
  }

  /** A framework that calls `removeAllListeners('upgrade')` wants to remove its own listeners only. */
  readonly #keepListening = (event: unknown, listener: unknown): void => {
    if (event !== 'upgrade' || listener !== listensForUpgrades) return;
    process.nextTick(() => {
      const server: EventEmitter = this.#server;
      if (this.#tenants.length === 0) return;
      if (!server.listeners('upgrade').includes(listensForUpgrades)) server.on('upgrade', listensForUpgrades);
      if (!server.listeners('removeListener').includes(this.#keepListening)) {
        server.on('removeListener', this.#keepListening);
      }
    });
  };

  readonly #shouldUpgrade = (request: IncomingMessage): unknown => {
    const isOwned = this.#ownerOf(request) !== undefined;
    if (isOwned) return asksForWebSocket(request);
    if (!asksForWebSocket(request) && !this.#othersListenForUpgrades) return false;
    const before = this.#shouldUpgradeBefore;
    return typeof before === 'function' && Reflect.apply(before, this.#server, [request]);
  };

  #intercept(): (event: unknown, ...args: unknown[]) => unknown {
    const shared = this;
    return function emit(this: unknown, event, ...args) {
      return shared.#take(event, args) || shared.#passOn(event, args);
    };
  }

  #passOn(event: unknown, args: readonly unknown[]): unknown {
    const server: EventEmitter = this.#server;
    const emit: unknown = this.#before ? this.#before.value : Reflect.get(Object.getPrototypeOf(server), 'emit');
    return typeof emit === 'function' && Reflect.apply(emit, server, [event, ...args]);
  }

  /** @returns whether a tenant took the event */
  #take(event: unknown, [request, other, head]: readonly unknown[]): boolean {
    if (this.#tenants.length === 0 || !isRequest(request)) return false;
    if (this.#pipelined.isClosed(request)) return true;
    if (event === 'upgrade') return isDuplex(other) && Buffer.isBuffer(head) && this.#upgrade(request, other, head);
    const owner = REQUESTS.has(event) ? this.#ownerOf(request) : undefined;
    if (!owner || !isResponse(other)) return false;
    if (!this.#pipelined.admits(request)) return true;
    if (event === 'checkExpectation')
      refuseRequest(other, { status: 417, message: 'the only supported expectation is 100-continue' });
    else {
      if (event === 'checkContinue') other.writeContinue();
      owner.request(request, other);
    }
    return true;
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    guard(socket);
    const owner = this.#ownerOf(request);
    if (!owner && this.#othersListenForUpgrades) return false;
    if (!asksForWebSocket(request)) ignoreUpgrade(this.#server, request, socket, head);
    else if (owner) owner.upgrade(request, socket, head);
    else this.#refuse(request, socket);
    return true;
  }

  #refuse(request: IncomingMessage, socket: Duplex): void {
    const refusal = {
      status: 404,
      reason: 'route',
      message: 'nothing on this server accepts WebSocket connections at this path',
    };
    for (const tenant of this.#tenants) tenant.refused?.(request, refusal);
    refuseUpgrade(socket, refusal);
  }

  get #othersListenForUpgrades(): boolean {
    const server: EventEmitter = this.#server;
    return server.listeners('upgrade').some((listener) => listener !== listensForUpgrades);
  }

  #ownerOf({ url }: IncomingMessage): Tenant | undefined {
    let leaving: Tenant | undefined;
    for (const tenant of this.#tenants) {
      if (!tenant.owns(url)) continue;
      if (!tenant.isLeaving) return tenant;
      leaving ??= tenant;
    }
    return leaving;
  }
}

function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, configurable: true, writable: true, enumerable: true });
}

function isRequest(value: unknown): value is IncomingMessage {
  return typeof value === 'object' && value !== null && 'headers' in value && 'url' in value;
}

function isResponse(value: unknown): value is ServerResponse {
  return typeof value === 'object' && value !== null && 'writeHead' in value;
}

function isDuplex(value: unknown): value is Duplex {
  return typeof value === 'object' && value !== null && 'destroy' in value && 'on' in value;
}
