import { PregonError, toError } from '@pregon/protocol';
import { BoundedMap } from '../bounded-map.js';
import type { MessageUse } from '../connections/access/allowed-messages.js';
import type { Connection, TransportName } from '../connections/connection.js';
import type { Member } from '../connections/member.js';
import { RouteConnections } from '../connections/route-connections.js';
import type { DeliveryTallies, DeliveryTally } from '../counters/delivery-tally.js';
import type { TurnBudget } from '../incoming/turn-budget.js';
import type { EntranceName } from '../ports/admission.js';
import type { ConnectionEnd, Observer } from '../ports/observer.js';
import type { Rights } from '../ports/rights.js';
import type { RefusalLog } from '../refusals/refusal-log.js';
import type { HoldLimits } from '../snapshots/held-snapshots.js';
import { forbiddenSnapshot, RouteSnapshots, type SnapshotScope } from '../snapshots/route-snapshots.js';
import type { SnapshotSource } from '../snapshots/snapshot.js';
import { isEverything } from '../topics/allowed-topics.js';
import { createFilter, type Filter } from '../topics/filter.js';
import { type AskedSubscription, assertAuthorized } from './assert-authorized.js';
import type { Authorize } from './authorize.js';
import type { RouteHandlers } from './handlers.js';
import type { Route } from './route.js';

/** Filters of clients with rights that are kept for the next client with the same rights. */
const KEPT_FILTERS = 1_000;

const ADD_SNAPSHOT = `add "snapshot:" to it in pregon.yml, "snapshot" to its options in createGateway, or run the gateway with --snapshot=URL`;
const ADD_PER = `a snapshot with "per: rights" or "per: identity" is told which topics a client may read, and then may be sent to clients without the right to all topics; see docs/guide/access.md#snapshots`;

/** How events are compressed for clients that accept compression. */
export interface Compression {
  /** Texts of fewer bytes are not compressed. */
  readonly thresholdBytes: number;
}

export interface RouteDefinition {
  readonly name: string;
  readonly path: string;
  readonly exchanges: readonly string[] | undefined;
  readonly topics: readonly string[] | undefined;
  readonly snapshot: SnapshotSource | undefined;
  /** What the snapshot depends on. @default nothing: it has the rows of all topics */
  readonly snapshotPer?: SnapshotScope | undefined;
  /** Asks the application about each subscription that the rules allow. @default it is not asked */
  readonly authorize?: Authorize | undefined;
  /** @default 64 MiB, and shared with new subscriptions for one minute */
  readonly snapshotLimits?: HoldLimits;
  /** @default nothing is compressed */
  readonly compression?: Compression | undefined;
  /** Limits the work in one event loop turn. @default no limit */
  readonly turn?: TurnBudget;
  /** Logs refusals. @default nothing is logged */
  readonly refusals?: RefusalLog;
  /** @default no observer */
  readonly observer?: Observer;
  /** Counts deliveries. @default nothing is counted */
  readonly tallies?: DeliveryTallies | undefined;
}

/** A named entry point: the events that it carries, its connections, and its handlers. */
export class ServedRoute implements Route {
  readonly name: string;
  readonly path: string;
  /** What admissions are told of where a client asks to come in. */
  readonly entrance: EntranceName;
  readonly compression: Compression | undefined;
  readonly connections: RouteConnections;
  readonly snapshots: RouteSnapshots | undefined;
  readonly #definition: RouteDefinition;
  readonly #handlers: RouteHandlers[] = [];
  #relays = false;
  /** The shared filter of subscriptions without topics, which are the most common. */
  #everything: Filter | undefined;

  /** The same for clients with rights, by the key of the rights. */
  readonly #byRights = new BoundedMap<string, { readonly granted: Rights['subscribe']; readonly filter: Filter }>(
    KEPT_FILTERS,
  );

  constructor(definition: RouteDefinition) {
    this.name = definition.name;
    this.path = definition.path;
    this.entrance = { kind: 'route', name: definition.name };
    this.compression = definition.compression;
    this.connections = new RouteConnections(definition.name, definition.turn, definition.observer);
    this.#definition = definition;
    const { snapshot, snapshotPer, snapshotLimits } = definition;
    this.snapshots = snapshot && new RouteSnapshots(snapshot, snapshotPer, snapshotLimits);
  }

  handle(handlers: RouteHandlers): void {
    this.#handlers.push(handlers);
  }

  /** Relays each message without a handler for its name to the other connections of the route. */
  relay(): void {
    this.#relays = true;
  }

  /** What the route does with messages of this name; undefined for messages without one. */
  useOf(name: string | undefined): MessageUse {
    const isNamed = name !== undefined && this.#named(name) !== undefined;
    return {
      handled: isNamed || this.#handlers.some(({ message }) => message),
      relayed: this.#relays && !isNamed,
    };
  }

  /** The filter of a subscription: the events of the route, narrowed to the topic patterns of the client. */
  filter(topics: readonly string[] | undefined, rights?: Rights): Filter {
    const { exchanges, topics: allowed } = this.#definition;
    if (rights) return this.#filterFor(topics, rights);
    if (topics) return createFilter({ topics, allowed, exchanges });
    this.#everything ??= createFilter({ allowed, exchanges });
    return this.#everything;
  }

  /** Whether the rows of a snapshot depend on who a client is, and not on its rights alone. */
  get hasSnapshotsPerIdentity(): boolean {
    return this.#definition.snapshotPer === 'identity';
  }

  /** Whether the application is asked about each subscription. */
  get asksApplication(): boolean {
    return this.#definition.authorize !== undefined;
  }

  /**
   * Asks the application about a subscription that the rules allow.
   *
   * @param onFailed called if the application throws
   * @throws PregonError FORBIDDEN
   */
  assertAuthorized(asked: AskedSubscription, onFailed: (error: Error) => void): void {
    const { authorize } = this.#definition;
    if (authorize) assertAuthorized(authorize, this.name, asked, onFailed);
  }

  #filterFor(topics: readonly string[] | undefined, rights: Rights): Filter {
    const { exchanges, topics: allowed } = this.#definition;
    if (!isEverything(topics)) return createFilter({ topics, allowed, granted: rights.subscribe, exchanges });
    const known = this.#byRights.get(rights.key);
    // Rights can come from an admission of the application, with a key of its own choice. It must not lead to the events
    // of others.
    if (known && isSameList(known.granted, rights.subscribe)) return known.filter;
    const filter = createFilter({ allowed, granted: rights.subscribe, exchanges });
    this.#byRights.set(rights.key, { granted: [...rights.subscribe], filter });
    return filter;
  }

  /**
   * Checks that a client may have a snapshot. The rights are checked first: without them, a client does not learn
   * whether there is a snapshot.
   *
   * @throws PregonError FORBIDDEN | SNAPSHOT_NOT_OFFERED; the log says what to configure
   */
  assertSnapshot(rights: Rights | undefined): void {
    const forbidden = forbiddenSnapshot(rights, this.#definition.snapshotPer);
    if (forbidden !== undefined) {
      const message = `the route ${JSON.stringify(this.name)} has no snapshot for limited rights`;
      if (this.#definition.snapshotPer === undefined) this.#tell(message, ADD_PER);
      throw new PregonError('FORBIDDEN', forbidden);
    }
    if (this.snapshots) return;
    const message = `the route ${JSON.stringify(this.name)} has no snapshot`;
    this.#tell(message, ADD_SNAPSHOT);
    throw new PregonError('SNAPSHOT_NOT_OFFERED', `${message}: ${ADD_SNAPSHOT}`);
  }

  #tell(message: string, remedy: string): void {
    this.#definition.refusals?.tell({ reason: 'snapshot', subject: this.path, message, remedy });
  }

  /** Returns the tally of a transport on this route; undefined if nothing is counted. */
  tally(transport: TransportName): DeliveryTally | undefined {
    return this.#definition.tallies?.of(this.name, transport);
  }

  subscribeRefused(connection: Connection, error: PregonError): void {
    const tally = this.tally(connection.transport);
    if (tally) tally.refusedSubscribes += 1;
    this.#definition.observer?.subscribeRefused?.(connection, error);
  }

  opened(connection: Member): void {
    this.connections.add(connection);
    // Creates the tally, so that the counters list this transport before the first delivery.
    this.tally(connection.transport);
    this.#definition.observer?.opened?.(connection);
    this.#each(connection, (handlers) => handlers.opened?.(connection));
  }

  closed(connection: Member, end: ConnectionEnd): void {
    this.connections.delete(connection);
    const tally = this.tally(connection.transport);
    if (tally) tally.closedBytes += end.bytes;
    this.#definition.observer?.closed?.(connection, end);
    this.#each(connection, (handlers) => handlers.closed?.(connection, { code: end.code, reason: end.reason }));
  }

  failed(connection: Connection, error: Error): void {
    this.#definition.observer?.failed?.(connection, error);
    for (const handlers of this.#handlers) {
      // An error of an error handler is dropped: it could only be passed to error handlers again.
      void attempt(() => handlers.error?.(connection, error));
    }
  }

  /** Whether the route has any handler for messages of clients. */
  get takesMessages(): boolean {
    const isHandler = ({ message, messages }: RouteHandlers) =>
      message !== undefined || (messages !== undefined && Object.keys(messages).length > 0);
    return this.#relays || this.#handlers.some(isHandler);
  }

  /** Whether the route has a handler for messages with this name. */
  takes(name: string): boolean {
    const { handled, relayed } = this.useOf(name);
    return handled || relayed;
  }

  /**
   * Passes a message of a client to the handler of its name. Without one, relays it if the route relays, and passes it to
   * the general handlers.
   *
   * @returns the value that the handler returned
   * @throws PregonError MESSAGE_UNKNOWN | HANDLER_FAILED, or the PregonError that the handler threw
   */
  async message(connection: Connection, data: unknown, name: string | undefined): Promise<unknown> {
    this.#definition.observer?.received?.(connection, name);
    const named = name === undefined ? undefined : this.#named(name);
    if (named) return this.#answer(connection, () => named(connection, data));
    const listening = this.#handlers.filter((handlers) => handlers.message);
    if (this.#relays) this.connections.broadcast(data, { except: connection });
    else if (listening.length === 0 && name !== undefined) {
      throw new PregonError('MESSAGE_UNKNOWN', `no handler for messages named ${JSON.stringify(name.slice(0, 40))}`);
    }
    let answer: unknown;
    for (const handlers of listening) {
      const value = await this.#answer(connection, () => handlers.message?.(connection, data, { name }));
      answer ??= value;
    }
    return answer;
  }

  #named(name: string): ((connection: Connection, data: unknown) => unknown) | undefined {
    for (const { messages } of this.#handlers) {
      if (messages && Object.hasOwn(messages, name)) return messages[name];
    }
    return undefined;
  }

  async #answer(connection: Connection, call: () => unknown): Promise<unknown> {
    const outcome = await attempt(call);
    if (!('error' in outcome)) return outcome.value;
    this.failed(connection, outcome.error);
    if (outcome.error instanceof PregonError) throw outcome.error;
    // The client must not see internal errors.
    throw new PregonError('HANDLER_FAILED', 'the handler failed', { cause: outcome.error });
  }

  #each(connection: Connection, call: (handlers: RouteHandlers) => unknown): void {
    for (const handlers of this.#handlers) {
      void attempt(() => call(handlers)).then((outcome) => {
        if ('error' in outcome) this.failed(connection, outcome.error);
      });
    }
  }
}

async function attempt(call: () => unknown): Promise<{ value: unknown } | { error: Error }> {
  try {
    return { value: await call() };
  } catch (error) {
    return { error: toError(error) };
  }
}

function isSameList(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((pattern, at) => pattern === others[at]);
}
