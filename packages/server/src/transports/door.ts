import type { IncomingMessage } from 'node:http';
import type { Clock } from '../core/clock.js';
import { Connection } from '../core/connection.js';
import type { Heartbeat } from '../core/heartbeat.js';
import type { Hub } from '../core/hub.js';
import type { Link } from '../core/link.js';
import type { Route } from '../core/route.js';
import { newConnectionId } from './connection-id.js';
import { refuseOrigin } from './origins.js';
import { parseTarget, type Query } from './query.js';
import type { Refusal } from './refusal.js';
import { shared } from './shared-texts.js';

export interface DoorOptions {
  readonly routes: readonly Route[];
  readonly hub: Hub;
  readonly heartbeat: Heartbeat;
  readonly clock: Clock;
  readonly heartbeatMs: number;
  readonly maxSubscriptions: number;
  readonly maxBufferedBytes: number;
  readonly allowedOrigins: readonly string[] | undefined;
}

/** Who is let in: where, and what is asked for. */
export interface Admitted {
  readonly route: Route;
  readonly query: Query;
}

export type Admission = Admitted | Refusal;

/** Where clients come in, by whatever transport: finds the route, checks who asks, and keeps the book of connections. */
export class Door {
  readonly options: DoorOptions;
  #open = true;
  #count = 0;
  #emptied: (() => void) | undefined;

  constructor(options: DoorOptions) {
    this.options = options;
  }

  /** Everybody who is inside. */
  get connections(): readonly Connection[] {
    return this.options.routes.flatMap((route) => [...route.connections]);
  }

  get isOpen(): boolean {
    return this.#open;
  }

  knows(target: string | undefined): boolean {
    return this.#route(parseTarget(target ?? '/').path) !== undefined;
  }

  admit(request: IncomingMessage): Admission {
    const query = parseTarget(request.url ?? '/');
    const route = this.#route(query.path);
    if (!route) return { status: 404, message: `no route has the path ${query.path}` };
    if (request.method !== 'GET') return { status: 405, message: 'only GET is taken here', headers: { Allow: 'GET' } };
    return this.refusal(request) ?? { route, query };
  }

  /** Why whoever asks is let in nowhere. @param arriving false for one who is inside already */
  refusal({ headers }: IncomingMessage, arriving = true): Refusal | undefined {
    if (arriving && !this.#open) {
      return { status: 503, message: 'the gateway is going away', headers: { 'Retry-After': '1' } };
    }
    return refuseOrigin(headers, this.options.allowedOrigins);
  }

  /**
   * Makes a connection of a link; the transport reports to it from then on.
   *
   * @param id where the transport has one that nobody can guess
   */
  enter(route: Route, request: IncomingMessage, link: Link, id = newConnectionId()): Connection {
    const { hub, maxSubscriptions, clock, heartbeatMs } = this.options;
    const connection = new Connection(link, {
      id,
      route,
      hub,
      maxSubscriptions,
      now: clock.now(),
      request: {
        url: request.url ?? '/',
        headers: request.headers,
        remoteAddress: shared(request.socket.remoteAddress ?? 'unknown'),
      },
    });
    this.#count += 1;
    this.options.heartbeat.add(connection);
    connection.opened(heartbeatMs);
    return connection;
  }

  leave(connection: Connection, code: number, reason: string): void {
    if (!connection.isOpen) return;
    this.#count -= 1;
    this.options.heartbeat.delete(connection);
    connection.closed(code, reason);
    if (this.#count === 0) this.#emptied?.();
  }

  /** Lets nobody in any more. */
  close(): void {
    this.#open = false;
  }

  /** Resolves when nobody is inside. */
  async empty(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => (this.#emptied = resolve));
  }

  #route(path: string): Route | undefined {
    return this.options.routes.find((route) => route.path === path);
  }
}
