import { encodePosition, encodeSequence, type PregonEvent } from '@pregon/protocol';
import { ClientConnection } from '../../../src/core/connections/client-connection.js';
import type { ArrivalsLimits } from '../../../src/core/delivery/arrivals.js';
import { Hub } from '../../../src/core/delivery/hub.js';
import type { Identity } from '../../../src/core/ports/admission.js';
import type { LogChange } from '../../../src/core/ports/observer.js';
import type { Rights } from '../../../src/core/ports/rights.js';
import { type RouteDefinition, ServedRoute } from '../../../src/core/routes/served-route.js';
import { ControlledLog } from './controlled-log.js';
import { FakeClock } from './fake-clock.js';
import { FakeLink } from './fake-link.js';
import { openPositions } from './positions.js';

export interface SquareOptions {
  readonly historyBytes?: number;
  readonly flushIntervalMs?: number;
  readonly arrivals?: ArrivalsLimits;
  readonly route?: Partial<RouteDefinition>;
  readonly log?: ControlledLog;
  readonly clock?: FakeClock;
  readonly beforeDelivery?: () => void;
}

export interface Client {
  readonly link: FakeLink;
  readonly connection: ClientConnection;
}

/** What a client may do, and until when. */
export interface ClientAccess {
  readonly rights?: Rights;
  readonly identity?: Identity;
  readonly expiresAt?: number;
}

let lastEvent = 0;

/** An event that no other test has; its sequence is `n`, if given. */
export function event(topic: string, more: Partial<PregonEvent> & { n?: number } = {}): PregonEvent {
  const { n, ...rest } = more;
  lastEvent += 1;
  return {
    specversion: '1.0',
    id: `event-${lastEvent}`,
    source: '/test',
    type: 'ThingWasDone',
    topic,
    exchange: 'things',
    ...(n === undefined ? {} : { sequence: encodeSequence(n) }),
    ...rest,
  };
}

export function events(count: number, topic = 'thing.1.done', more: Partial<PregonEvent> = {}): PregonEvent[] {
  return Array.from({ length: count }, () => event(topic, more));
}

/** A hub with one route, on a log and a clock that the test controls. */
export class Square {
  readonly log: ControlledLog;
  readonly clock: FakeClock;
  readonly hub: Hub;
  readonly route: ServedRoute;
  /** The hub's reports about the log. */
  readonly told: LogChange[];
  #connections = 0;

  static async open(options: SquareOptions = {}): Promise<Square> {
    const log = options.log ?? new ControlledLog();
    const clock = options.clock ?? new FakeClock();
    const told: Square['told'] = [];
    const hub = await Hub.open({
      log,
      positions: openPositions,
      clock,
      historyBytes: options.historyBytes ?? 1_000_000,
      flushIntervalMs: options.flushIntervalMs ?? 0,
      ...(options.arrivals ? { arrivals: options.arrivals } : {}),
      beforeDelivery: options.beforeDelivery,
      onLog: (change) => told.push(change),
    });
    return new Square(log, clock, hub, told, options.route);
  }

  private constructor(
    log: ControlledLog,
    clock: FakeClock,
    hub: Hub,
    told: Square['told'],
    route: Partial<RouteDefinition> = {},
  ) {
    this.log = log;
    this.clock = clock;
    this.hub = hub;
    this.told = told;
    this.route = new ServedRoute({
      name: 'things',
      path: '/things',
      exchanges: undefined,
      topics: undefined,
      snapshot: undefined,
      ...route,
    });
  }

  connect(link: FakeLink = new FakeLink(), access: ClientAccess = {}): Client {
    this.#connections += 1;
    const connection = new ClientConnection(link, {
      id: `connection-${this.#connections}`,
      route: this.route,
      request: { url: '/things', headers: {}, remoteAddress: '127.0.0.1' },
      hub: this.hub,
      limits: { maxSubscriptions: 100, maxTopics: 1_000, maxTopicsBytes: 262_144 },
      now: this.clock.now(),
      ...access,
    });
    connection.opened(25_000);
    return { link, connection };
  }

  /** Connects and subscribes, live unless `since` says otherwise. */
  subscribe(want: { topics?: string[]; since?: string; snapshot?: boolean; link?: FakeLink } = {}): Client {
    const client = this.connect(want.link);
    client.connection.subscribe(1, want.topics, want.since, { snapshot: want.snapshot === true });
    return client;
  }

  /** Appends, and lets all clients be served. @returns the positions */
  async append(appended: readonly PregonEvent[]): Promise<string[]> {
    const points = await this.log.append(appended);
    await this.clock.settle();
    return points.map(encodePosition);
  }

  /** Lets the client read all waiting bytes, repeatedly, until none are left. */
  async drain({ link, connection }: Client): Promise<void> {
    do {
      link.read();
      connection.drained();
      await this.clock.settle();
    } while (link.bufferedBytes > 0);
  }
}
