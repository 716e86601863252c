import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe } from 'vitest';
import { freePort } from './ports.js';
import { describeWithPostgres } from './postgres.js';
import { createSchema } from './postgres-schema.js';
import { type RunningProcess, startPregon, startProcess, temporaryFolder } from './processes.js';
import { afterTest, describeWithBroker, testNames } from './rabbitmq.js';

const APPLICATION = fileURLToPath(new URL('../../apps/auction/', import.meta.url));

export interface User {
  readonly id: string;
  readonly name: string;
  readonly email: string;
}

/** What the application and its gateway run on, as the environment says it. Where it says nothing, on files of SQLite. */
export interface Engine {
  readonly DATABASE_URL?: string;
  readonly PREGON_LOG?: string;
  readonly EXCHANGE?: string;
}

export type StartAuction = () => Promise<Auction>;

/** The same suite on what is embedded, and on PostgreSQL and RabbitMQ with schema, stream and exchange of each test's own. */
export async function describeOnBothEngines(name: string, suite: (start: StartAuction) => void): Promise<void> {
  describe(`${name}, embedded`, () => suite(() => Auction.start()));
  await describeWithPostgres(`${name}, on PostgreSQL`, (url) => {
    describeWithBroker('and RabbitMQ', () => suite(async () => Auction.start(await createEngine(url()))));
  });
}

/** Of one test's own, on the servers that all share. */
export async function createEngine(postgres: string): Promise<Engine> {
  const { url, exchange } = testNames();
  return { DATABASE_URL: await createSchema(postgres), PREGON_LOG: url, EXCHANGE: exchange };
}

/** The reference application and its gateway, as `npm start` runs them, each process in the test's own hand. */
export class Auction {
  readonly data: string;
  readonly port: number;
  readonly gatewayPort: number;
  readonly #engine: Engine;
  #application: RunningProcess | undefined;
  #gateway: RunningProcess | undefined;

  private constructor(data: string, port: number, gatewayPort: number, engine: Engine) {
    this.#engine = engine;
    this.data = data;
    this.port = port;
    this.gatewayPort = gatewayPort;
  }

  static async start(engine: Engine = {}): Promise<Auction> {
    const auction = new Auction(temporaryFolder(), await freePort(), await freePort(), engine);
    // Before the stream and the exchange of the test are removed: who still runs would make them anew.
    afterTest(() => auction.#kill());
    await Promise.all([auction.startApplication(), auction.startGateway()]);
    return auction;
  }

  get url(): string {
    return `http://localhost:${this.port}`;
  }

  get events(): string {
    return `ws://localhost:${this.gatewayPort}/events`;
  }

  get eventStream(): string {
    return `http://localhost:${this.gatewayPort}/events`;
  }

  get logFile(): string {
    return join(this.data, 'pregon.db');
  }

  get application(): RunningProcess {
    if (!this.#application) throw new Error('the application was not started');
    return this.#application;
  }

  get gateway(): RunningProcess {
    if (!this.#gateway) throw new Error('the gateway was not started');
    return this.#gateway;
  }

  async startApplication(): Promise<void> {
    this.#application = startProcess([join(APPLICATION, 'dist/server.js')], { env: this.#environment });
    await this.#application.until(/takes requests/);
  }

  async startGateway(): Promise<void> {
    const { EXCHANGE = 'my_events', PREGON_LOG = `sqlite:${this.logFile}` } = this.#engine;
    const flags = ['--route=events', `--exchange=${EXCHANGE}`, `--log=${PREGON_LOG}`];
    const config = `--config=${join(APPLICATION, 'pregon.yml')}`;
    this.#gateway = startPregon(['run', `127.0.0.1:${this.gatewayPort}`, ...flags, config], { env: this.#environment });
    await this.#gateway.until(/listens on/);
  }

  /** Saves a user; the answer's status. */
  async put(user: User): Promise<number> {
    const response = await fetch(`${this.url}/users/${user.id}`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: user.name, email: user.email }),
    });
    await response.arrayBuffer();
    return response.status;
  }

  async delete(id: string): Promise<number> {
    return (await fetch(`${this.url}/users/${id}`, { method: 'DELETE' })).status;
  }

  /** The table as the application answers it. */
  async users(): Promise<User[]> {
    return (await fetch(`${this.url}/users`)).json();
  }

  async #kill(): Promise<void> {
    await Promise.all([this.#application?.kill('SIGKILL'), this.#gateway?.kill('SIGKILL')]);
  }

  get #environment(): Record<string, string> {
    const ports = { PORT: String(this.port), GATEWAY_PORT: String(this.gatewayPort), HOST: '127.0.0.1' };
    // Empty, not absent: what whoever runs the tests has set for himself is not meant.
    const engine = { DATABASE_URL: '', PREGON_LOG: '', EXCHANGE: '', ...this.#engine };
    return { ...ports, DATA_DIR: this.data, ...engine };
  }
}

export function user(id: number | string, version = 0): User {
  return { id: String(id), name: `User ${id} v${version}`, email: `user${id}.v${version}@example.com` };
}

/** How many clients make changes at once, each to users of its own, so that what happens to each is known. */
const WRITERS = 5;
/** A multiple of {@link WRITERS}. */
const USERS = 150;

/** Changes that make `count` events: users come, change, and some go. */
export async function makeChanges(auction: Auction, count: number): Promise<void> {
  const present = new Set<number>();
  const write = async (writer: number) => {
    for (let i = writer; i < count; i += WRITERS) {
      const id = i % USERS;
      if (i % 7 === 6 && present.has(id)) {
        present.delete(id);
        await auction.delete(`c${id}`);
      } else {
        present.add(id);
        await auction.put(user(`c${id}`, i));
      }
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
}
