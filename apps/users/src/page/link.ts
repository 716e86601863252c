import {
  type Client,
  type Collection,
  createClient,
  type ParsedCollectionOptions,
  type SubscribeOptions,
  type Subscription,
} from '@pregon/client';
import { sentence } from './words.js';

/**
 * The connection between the page and its gateway. `refused`: no attempt can succeed until something else is changed,
 * see `reason`.
 */
export type LinkState = 'connecting' | 'catching-up' | 'online' | 'waiting' | 'offline' | 'refused';

/** What the gateway tells about its process. */
export interface GatewayProcess {
  readonly pid: number;
  readonly connections: number;
}

/**
 * On a loopback address an attempt costs next to nothing: short delays make the page live within two seconds of a
 * restart.
 */
const RECONNECT = { minDelayMs: 500, maxDelayMs: 1_000 };

const ASK_TIMEOUT_MS = 3_000;

/** Messages of the client that only say that there is no connection. */
const SILENCE = /cannot be reached|could not be opened|the connection (failed|ended)|no answer to a ping/;

/**
 * The client of `@pregon/client`, in the terms of the page. Other files of the page read the state of the connection
 * only through this class. They take events and rows through it too.
 */
export class GatewayLink {
  /** The address of the gateway for display: `localhost:1234`. */
  readonly address: string;
  readonly #client: Client;
  readonly #listeners = new Set<(state: LinkState) => void>();

  constructor(url: string) {
    this.address = new URL(url).host;
    this.#client = createClient({ url, reconnect: RECONNECT });
    this.#client.on('error', (error) => console.error(error));
    this.#client.on('state', () => {
      const { state } = this;
      for (const listener of this.#listeners) listener(state);
    });
  }

  get state(): LinkState {
    const { state } = this.#client;
    return state === 'closed' || state === 'unauthorized' || state === 'forbidden' ? 'refused' : state;
  }

  /** While the link waits: when the next attempt is made, in milliseconds since the Unix epoch. */
  get retryAt(): number | undefined {
    return this.#client.retryAt;
  }

  /** While the link catches up: about how many events are missing; 0 if unknown. */
  get behind(): number {
    return this.#client.behind;
  }

  /** Why there is no connection, in a sentence. Browsers do not tell a page why a WebSocket failed. */
  get reason(): string {
    if (this.state === 'offline') return 'This device has no network.';
    if (this.state === 'refused') return sentence(this.#client.lastError?.message ?? '');
    const { message = '' } = this.#client.lastError ?? {};
    return SILENCE.test(message) || message === '' ? `${this.address} does not answer.` : sentence(message);
  }

  onState(listener: (state: LinkState) => void): void {
    this.#listeners.add(listener);
  }

  connectNow(): void {
    this.#client.connectNow();
  }

  subscribe(options: SubscribeOptions): Subscription {
    return this.#client.subscribe(options);
  }

  collection<Row extends object>(options: ParsedCollectionOptions<Row>): Collection<Row> {
    return this.#client.collection(options);
  }

  /** Asks the gateway about its process; undefined if it does not say. */
  async askProcess(): Promise<GatewayProcess | undefined> {
    try {
      return readProcess(await this.#client.send('process', undefined, { timeoutMs: ASK_TIMEOUT_MS }));
    } catch {
      // The message was lost, or the gateway was started without the handlers of this application.
      return undefined;
    }
  }
}

function readProcess(answer: unknown): GatewayProcess | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined;
  const pid: unknown = Reflect.get(answer, 'pid');
  const connections: unknown = Reflect.get(answer, 'connections');
  return typeof pid === 'number' && typeof connections === 'number' ? { pid, connections } : undefined;
}
