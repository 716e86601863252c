import { type GatewayFrame, isEvent, PregonError, type PregonEvent, type RequestId } from '@pregon/protocol';
import { Backoff } from './backoff.js';
import { type ConnectionState, isConnected, isRefused } from './connection/connection-state.js';
import { Connector, type StateChange } from './connection/connector.js';
import { Renewal } from './connection/renewal.js';
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
 * Connects to a route of a gateway at once and stays connected. After a loss the client retries with backoff, and every
 * subscription and collection continues from its last position.
 *
 * @throws TypeError | RangeError if an option is invalid, or if the platform has no WebSocket
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
  readonly #renewal: Renewal;
  readonly #listeners: { readonly [Name in keyof ClientEvents]: Handlers<ClientEvents[Name]> } = {
    state: new Handlers(),
    error: new Handlers(),
  };
  readonly #messages = new Map<string, Handlers<unknown>>();
  #lastId: RequestId = 0;

  /** {@link createClient} makes clients. @internal */
  constructor(settings: Settings) {
    this.#settings = settings;
    this.#requests = new Requests(settings.clock);
    this.#connector = new Connector(settings, {
      changed: (change) => this.#listeners.state.call(change, this.#handlerFailed),
      connected: () => this.#subscriptions.connected(),
      received: (frame) => this.#receive(frame),
      disconnected: () => {
        this.#requests.lost();
        this.#renewal.stop();
        this.#subscriptions.disconnected();
      },
      failed: (error) => {
        this.#report(error);
        if (isRefused(this.state)) this.#subscriptions.gaveUp(error);
      },
    });
    this.#subscriptions = new Subscriptions(settings, {
      send: (frame) => this.#connector.send(frame),
      settled: (caughtUp) => this.#connector.dispatch(caughtUp ? 'caughtUp' : 'behind'),
      report: this.#report,
    });
    this.#renewal = new Renewal(settings, { show: () => this.#showToken(), failed: this.#report });
    this.#connector.start();
  }

  get state(): ConnectionState {
    return this.#connector.state;
  }

  /**
   * The reason for the last loss, refusal or failed attempt, and what to do about it; undefined if there was none.
   * `retryable` tells whether it may pass without a change. The error remains after the client is online again.
   *
   * - CONNECTION_LOST: the connection was lost, the gateway is not reachable, or a proxy or gateway cannot answer for
   *   now;
   * - UNAUTHORIZED: the gateway needs a valid token;
   * - FORBIDDEN: the origin or the user is not admitted, or the gateway closed with a code from 4500 on;
   * - ROUTE_UNKNOWN: the path is not a route;
   * - CONFIG_INVALID: the server at the URL is not a gateway;
   * - the code of a frame that is invalid, such as FRAME_INVALID.
   */
  get lastError(): PregonError | undefined {
    return this.#connector.lastError;
  }

  /**
   * The time of the next attempt, in milliseconds since the Unix epoch. Defined in the states `waiting` and `offline`,
   * and in `refused` after an HTTP status; otherwise undefined.
   */
  get retryAt(): number | undefined {
    return this.#connector.retryAt;
  }

  /**
   * In state `catching-up`, the approximate number of events until all subscriptions are live; 0 while it is unknown.
   */
  get behind(): number {
    return this.#subscriptions.behind;
  }

  /** The gateway's name for the open connection. */
  get connectionId(): string | undefined {
    return this.#connector.connectionId;
  }

  /**
   * Adds a listener. `state` listeners are called when the state or the known reason for it changes. `error` listeners
   * are called for failures that no call reports: a handler threw, a frame is invalid, or the gateway refused. An error
   * without a listener goes to `reportError`, or to the console.
   *
   * @returns a function that removes the listener
   * @throws TypeError if there is no such event, or if `handle` is not a function
   * @example
   * const stop = client.on('error', (error) => console.error(error.code, error.message));
   */
  on<Name extends keyof ClientEvents>(name: Name, handle: (value: ClientEvents[Name]) => unknown): () => void {
    if (!Object.hasOwn(this.#listeners, name)) throw new TypeError(`there is no ${JSON.stringify(name)} to listen to`);
    return this.#listeners[name].add(handle);
  }

  /**
   * Connects at once, also in state `refused`. It replaces an attempt that is older than a second; an open connection
   * stays.
   */
  connectNow(): void {
    this.#connector.connectNow();
  }

  /**
   * Asks `token` again, and shows its answer to the gateway: call it when a user has signed in, signed out or got other
   * rights. The connection stays, and subscriptions that are still allowed continue. For a token of another user the
   * client connects again, and so it does if there is no connection.
   *
   * @throws TypeError if the client has no option `token`; PregonError, if the token function fails or the gateway refuses
   * the token: UNAUTHORIZED | TOKEN_EXPIRED | AUTH_UNAVAILABLE | RATE_LIMITED | TIMEOUT | CONNECTION_LOST. The connection
   * then keeps its rights
   * @example
   * await signIn();
   * await client.authorize();
   */
  async authorize(): Promise<void> {
    if (!this.#settings.token) throw new TypeError('the client needs the option token');
    if (isConnected(this.state)) await this.#showToken();
    else this.connectNow();
  }

  /** Ends the connection, all subscriptions and all collections, for good. Unanswered sends reject. */
  close(): void {
    this.#connector.dispatch('close', 'closed by the application');
    this.#subscriptions.end(new PregonError('CONNECTION_LOST', 'the client is closed'));
  }

  /**
   * Opens a subscription, now or as soon as there is a connection. After each loss, the client reopens it from the last
   * handled position.
   *
   * @throws TypeError | RangeError if an option is invalid
   * @throws PregonError TOPIC_INVALID; CONNECTION_LOST if the client is closed
   * @example
   * client.subscribe({ topics: ['user.#'], onEvent: (event) => console.log(event.type, event.data) });
   */
  subscribe(options: SubscribeOptions): Subscription {
    return this.#open(options, {});
  }

  /**
   * Returns a live Map of the rows of the route's snapshot, updated by events. Without `parse`, its rows are the JSON
   * objects of the snapshot and of `put`.
   *
   * @throws TypeError | RangeError | PregonError as {@link Client.subscribe} does
   * @example
   * const users = client.collection({
   *   key: 'id',
   *   topics: ['user.#'],
   *   change: (event) => (event.type === 'UserWasDeleted' ? { remove: event.data } : { put: event.data }),
   * });
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
   * Calls a handler of the gateway. Without a connection it rejects with CONNECTION_LOST at once. There is no hidden
   * queue, so no message is sent later than its caller expects. After TIMEOUT, or a loss while waiting, it is unknown
   * whether the handler ran.
   *
   * @param data a JSON value
   * @param options `timeoutMs`: the time limit for the answer, in milliseconds. Default: 10000
   * @returns the answer of the handler
   * @throws PregonError TIMEOUT | CONNECTION_LOST | FRAME_TOO_LARGE | the code of the gateway's answer
   * @example
   * const result = await client.send('bid', { amount: 7 }, { timeoutMs: 5_000 });
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
   * Calls a handler of the gateway without waiting for an answer.
   *
   * @returns whether the message was sent; false if there is no connection
   * @throws PregonError FRAME_TOO_LARGE
   * @example
   * client.notify('typing', { field: 'name' });
   */
  notify(name: string, data?: unknown): boolean {
    return this.#connector.send({ op: 'send', name, data });
  }

  /**
   * Calls `handle` with the data of each ephemeral message of this name.
   *
   * @returns a function that removes the handler
   * @example
   * const stop = client.onMessage('typing', (data) => console.log(data));
   */
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
      // Handlers of the application never throw up to here, so this is a frame that is not allowed now.
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
        this.#requests.acknowledged(frame.id, frame.data);
        break;
      case 'authorized':
        if (frame.id !== undefined) this.#requests.acknowledged(frame.id);
        break;
      case 'expiring':
        this.#renewal.start();
        break;
      case 'error': {
        // An unknown id belongs to a request that the client has given up in the meantime.
        const { id } = frame;
        if (id === undefined) this.#report(errorOfFrame(frame));
        else if (!this.#requests.refused(id, frame)) this.#subscriptions.refused(id, frame);
        break;
      }
      case 'draining':
        this.#connector.leave(frame.reconnectInMs);
        break;
      default:
        // `welcome`, `unsubscribed` and `pong` need no action here.
        break;
    }
  }

  async #showToken(): Promise<void> {
    const { connectTimeoutMs } = this.#settings;
    const token = await this.#renewal.ask();
    const id = this.#nextId();
    // A new connection shows a token of its own.
    if (!this.#connector.send({ op: 'auth', id, token })) return;
    try {
      await this.#requests.answer(id, 'auth', connectTimeoutMs);
    } catch (error) {
      if (!(error instanceof PregonError) || error.code !== 'FORBIDDEN') throw error;
      this.#connector.leave(0, error.message);
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
