import { type GatewayFrame, isEvent, PregonError, type PregonEvent, type RequestId } from '@pregon/protocol';
import { Backoff } from './backoff.js';
import type { ConnectionState } from './connection/connection-state.js';
import { Connector, type StateChange } from './connection/connector.js';
import { Requests } from './connection/requests.js';
import { errorOfFrame } from './gateway-error.js';
import { Handlers, reportUnheard } from './handlers.js';
import { assertDuration, type ClientOptions, readOptions, type Settings } from './options.js';
import { Collection, type CollectionContext, type OpenSubscription } from './rows/collection.js';
import {
  type CollectionOptions,
  type JsonObject,
  type ParsedCollectionOptions,
  parseJsonObject,
} from './rows/collection-options.js';
import type { SubscribeOptions, Subscription } from './subscriptions/subscription.js';
import { Subscriptions } from './subscriptions/subscriptions.js';

export interface ClientEvents {
  state: StateChange;
  error: PregonError;
}

/**
 * Connects to a route of a gateway, at once, and stays connected: after a loss it tries again with growing delays, and every
 * subscription and collection goes on from where it was.
 *
 * @throws TypeError | RangeError if an option is wrong, or the platform has no WebSocket
 *
 * @example
 * const client = createClient({ url: 'ws://localhost:1234/events' });
 * client.on('state', ({ state }) => console.log(state, client.lastError?.message));
 */
export function createClient(options: ClientOptions): Client {
  return new Client(readOptions(options));
}

export class Client {
  readonly #settings: Settings;
  readonly #connector: Connector;
  readonly #subscriptions: Subscriptions;
  readonly #requests: Requests;
  readonly #listeners: { readonly [Name in keyof ClientEvents]: Handlers<ClientEvents[Name]> } = {
    state: new Handlers(),
    error: new Handlers(),
  };
  readonly #messages = new Map<string, Handlers<unknown>>();
  #lastId: RequestId = 0;

  /** Made by {@link createClient}. @internal */
  constructor(settings: Settings) {
    this.#settings = settings;
    this.#requests = new Requests(settings.clock);
    this.#connector = new Connector(settings, {
      changed: (change) => this.#listeners.state.call(change, this.#handlerFailed),
      connected: () => this.#subscriptions.connected(),
      received: (frame) => this.#receive(frame),
      disconnected: () => {
        this.#requests.lost();
        this.#subscriptions.disconnected();
      },
      failed: (error) => {
        this.#report(error);
        if (this.state === 'refused') this.#subscriptions.gaveUp(error);
      },
    });
    this.#subscriptions = new Subscriptions(settings, {
      send: (frame) => this.#connector.send(frame),
      settled: (caughtUp) => this.#connector.dispatch(caughtUp ? 'caughtUp' : 'behind'),
      report: this.#report,
    });
    this.#connector.start();
  }

  get state(): ConnectionState {
    return this.#connector.state;
  }

  /**
   * The reason for the last loss, refusal or failed attempt, and what to do about it; undefined if there was none. `retryable` says
   * whether it may pass by itself. It stays when the client is online again.
   *
   * - CONNECTION_LOST: the connection was lost, the gateway is not reachable, or a proxy or gateway cannot answer for now;
   * - FORBIDDEN: the origin or the user is not admitted, or the gateway closed with a code from 4500 on;
   * - ROUTE_UNKNOWN: the path is not a route;
   * - CONFIG_INVALID: the server at the URL is not a gateway;
   * - the codes of a frame that cannot be read, such as FRAME_INVALID.
   */
  get lastError(): PregonError | undefined {
    return this.#connector.lastError;
  }

  /**
   * When the next attempt is made, in milliseconds since the Unix epoch, in the states `waiting`, `offline`, and `refused` after an HTTP
   * status; undefined in the others.
   */
  get retryAt(): number | undefined {
    return this.#connector.retryAt;
  }

  /** In state `catching-up`: about how many events are to come until all subscriptions are live; 0 while that is not known. */
  get behind(): number {
    return this.#subscriptions.behind;
  }

  /** The gateway's name for the connection that is open. */
  get connectionId(): string | undefined {
    return this.#connector.connectionId;
  }

  /**
   * Listens to `state`, called when the state or the known reason for it changes, or to `error`, called for a failure that no call reports:
   * a handler threw, a frame cannot be read, the gateway refused. An error without a listener goes to `reportError`, or to the console.
   *
   * @returns what ends it
   */
  on<Name extends keyof ClientEvents>(name: Name, handle: (value: ClientEvents[Name]) => unknown): () => void {
    if (!Object.hasOwn(this.#listeners, name)) throw new TypeError(`there is no ${JSON.stringify(name)} to listen to`);
    return this.#listeners[name].add(handle);
  }

  /** Tries at once, in state `refused` too. An attempt that is older than a second is replaced; without effect on an open connection. */
  connectNow(): void {
    this.#connector.connectNow();
  }

  /** Ends the connection, all subscriptions and all collections, for good. Sends that are not answered reject. */
  close(): void {
    this.#connector.dispatch('close', 'closed by the application');
    this.#subscriptions.end(new PregonError('CONNECTION_LOST', 'the client is closed'));
  }

  /**
   * Opens a subscription, now or as soon as there is a connection, and again after each loss, from the last position that was handled.
   *
   * @throws TypeError | RangeError
   * @throws PregonError TOPIC_INVALID; CONNECTION_LOST where the client is closed
   */
  subscribe(options: SubscribeOptions): Subscription {
    return this.#open(options, {});
  }

  /**
   * A live Map of the rows of the route's snapshot, kept up by events. Without `parse` its rows are JSON objects as they come.
   *
   * @throws as {@link Client.subscribe}
   */
  collection(options: CollectionOptions<JsonObject> & { readonly parse?: undefined }): Collection<JsonObject>;
  collection<Row extends object>(options: ParsedCollectionOptions<Row>): Collection<Row>;
  collection<Row extends object>(
    options: (CollectionOptions<JsonObject> & { readonly parse?: undefined }) | ParsedCollectionOptions<Row>,
  ): Collection<JsonObject> | Collection<Row> {
    if (typeof options.change !== 'function') throw new TypeError('change must be a function');
    if (typeof options.key !== 'string' && typeof options.key !== 'function') {
      throw new TypeError('key must be the name of a member or a function');
    }
    return options.parse === undefined
      ? new Collection({ ...options, parse: parseJsonObject }, this.#collectionContext())
      : new Collection(options, this.#collectionContext());
  }

  /**
   * Calls a handler of the gateway. Without a connection it rejects with CONNECTION_LOST at once: there is no hidden queue, so what is
   * sent is never older than its caller thinks. TIMEOUT and a loss on the way leave open whether the handler ran.
   *
   * @param data a JSON value
   * @returns what the handler answered
   * @throws PregonError TIMEOUT | CONNECTION_LOST | FRAME_TOO_LARGE | the code of the gateway's answer
   */
  async send(name: string, data?: unknown, { timeoutMs = 10_000 }: { timeoutMs?: number } = {}): Promise<unknown> {
    assertDuration('timeoutMs', timeoutMs);
    const id = this.#nextId();
    if (!this.#connector.send({ op: 'send', id, name, data })) {
      throw new PregonError('CONNECTION_LOST', `${JSON.stringify(name)} was not sent: there is no connection`);
    }
    return this.#requests.answer(id, name, timeoutMs);
  }

  /**
   * Calls a handler of the gateway and wants no answer.
   *
   * @returns whether it was sent; false where there is no connection
   * @throws PregonError FRAME_TOO_LARGE
   */
  notify(name: string, data?: unknown): boolean {
    return this.#connector.send({ op: 'send', name, data });
  }

  /** Calls `handle` with each ephemeral message of that name. @returns what ends it */
  onMessage(name: string, handle: (data: unknown) => unknown): () => void {
    const handlers = this.#messages.get(name) ?? new Handlers();
    this.#messages.set(name, handlers);
    return handlers.add(handle);
  }

  #collectionContext(): CollectionContext {
    const { clock, reconnect, random } = this.#settings;
    return {
      open: this.#open,
      report: this.#report,
      clock,
      backoff: new Backoff({ ...reconnect, maxDelayMs: reconnect.hiddenMaxDelayMs }, random),
    };
  }

  readonly #open: OpenSubscription = (options, owner, delayMs) => {
    if (this.state === 'closed') throw new PregonError('CONNECTION_LOST', 'the client is closed');
    return this.#subscriptions.open(this.#nextId(), options, owner, delayMs);
  };

  #receive(frame: PregonEvent | GatewayFrame): void {
    try {
      if (isEvent(frame)) this.#subscriptions.event(frame);
      else this.#control(frame);
    } catch (cause) {
      // Handlers of the application never throw up to here: it is a frame that may not come now.
      if (!(cause instanceof PregonError)) throw cause;
      this.#connector.fail(cause);
    }
  }

  #control(frame: GatewayFrame): void {
    switch (frame.op) {
      case 'subscribed':
      case 'events':
      case 'snapshot':
      case 'reset':
      case 'checkpoint':
        this.#subscriptions.received(frame);
        break;
      case 'message':
        this.#messages.get(frame.name)?.call(frame.data, this.#handlerFailed);
        break;
      case 'ack':
        this.#requests.acknowledged(frame);
        break;
      case 'error': {
        // One with an id that is unknown here answers what was given up meanwhile.
        const { id } = frame;
        if (id === undefined) this.#report(errorOfFrame(frame));
        else if (!this.#requests.refused(id, frame)) this.#subscriptions.refused(id, frame);
        break;
      }
      case 'draining':
        this.#connector.leave(frame.reconnectInMs);
        break;
      default:
        // `welcome`, `unsubscribed` and `pong` ask for nothing here.
        break;
    }
  }

  #nextId(): RequestId {
    this.#lastId++;
    return this.#lastId;
  }

  readonly #report = (error: PregonError): void => {
    if (this.#listeners.error.size === 0) reportUnheard(error);
    else this.#listeners.error.call(error, reportUnheard);
  };

  readonly #handlerFailed = (cause: unknown): void => {
    this.#report(new PregonError('HANDLER_FAILED', 'a handler failed', { cause }));
  };
}
