import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe } from 'vitest';
import { afterFile, afterTest, temporaryFolder } from '../cleanup.js';
import { freePort } from '../ports.js';
import { describeWithPostgres } from '../postgres.js';
import { createSchema } from '../postgres-schema.js';
import { type ProcessOptions, type RunningProcess, startPregon, startProcess } from '../processes.js';
import { describeWithBroker, testNames } from '../rabbitmq.js';

const APPLICATION = fileURLToPath(new URL('../../../apps/users/', import.meta.url));

export interface User {
  readonly id: string;
  readonly name: string;
  readonly email: string;
}

/**
 * The database and log of the application and its gateway, as environment variables; SQLite files if they are empty.
 */
export interface Engine {
  readonly DATABASE_URL?: string;
  readonly PREGON_LOG?: string;
  readonly EXCHANGE?: string;
}

export type StartUsersApp = () => Promise<UsersApp>;

/**
 * Runs a suite on embedded SQLite, and on PostgreSQL and RabbitMQ with a separate schema, stream and exchange for each
 * test.
 */
export async function describeOnBothEngines(name: string, suite: (start: StartUsersApp) => void): Promise<void> {
  describe(`${name}, embedded`, () => suite(() => UsersApp.start()));
  await describeWithPostgres(`${name}, on PostgreSQL`, (url) => {
    describeWithBroker('and RabbitMQ', () => suite(async () => UsersApp.start(await createEngine(url()))));
  });
}

/** A schema, stream and exchange for one test, on the shared servers. */
export async function createEngine(postgres: string): Promise<Engine> {
  const { url, exchange } = testNames();
  return { DATABASE_URL: await createSchema(postgres), PREGON_LOG: url, EXCHANGE: exchange };
}

/** The reference application and its gateway, as `npm start` runs them; the test controls each process. */
export class UsersApp {
  readonly data: string;
  readonly port: number;
  readonly gatewayPort: number;
  readonly #engine: Engine;
  readonly #after: typeof afterTest;
  #application: RunningProcess | undefined;
  #gateway: RunningProcess | undefined;

  private constructor(port: number, gatewayPort: number, engine: Engine, after: typeof afterTest) {
    this.#engine = engine;
    this.#after = after;
    this.data = temporaryFolder(after);
    this.port = port;
    this.gatewayPort = gatewayPort;
  }

  /** Starts both; they end with the test. */
  static start(engine: Engine = {}): Promise<UsersApp> {
    return UsersApp.#start(engine, afterTest);
  }

  /** Starts both for all tests of the file. These tests must not stop or replace a process. */
  static startForFile(): Promise<UsersApp> {
    return UsersApp.#start({}, afterFile);
  }

  static async #start(engine: Engine, after: typeof afterTest): Promise<UsersApp> {
    const app = new UsersApp(await freePort(), await freePort(), engine, after);
    // Registered before the removal of the stream and the exchange, because running processes would create them again.
    after(() => app.#kill());
    await Promise.all([app.startApplication(), app.startGateway()]);
    return app;
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
    this.#application = startProcess([join(APPLICATION, 'dist/server.js')], this.#options);
    await this.#application.until(/takes requests/);
  }

  /** @param more flags of `pregon run` */
  async startGateway(...more: string[]): Promise<void> {
    const { EXCHANGE = 'my_events', PREGON_LOG = `sqlite:${this.logFile}` } = this.#engine;
    const flags = ['--route=events', `--exchange=${EXCHANGE}`, `--log=${PREGON_LOG}`, ...more];
    const config = `--config=${join(APPLICATION, 'pregon.yml')}`;
    this.#gateway = startPregon(['run', `127.0.0.1:${this.gatewayPort}`, ...flags, config], this.#options);
    await this.#gateway.until(/listens on/);
  }

  /** Saves a user, and returns the status of the answer. */
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

  /** The table, as the application returns it. */
  async users(): Promise<User[]> {
    return (await fetch(`${this.url}/users`)).json();
  }

  /** Deletes all users, so that a test begins with an empty table. */
  async clear(): Promise<void> {
    await Promise.all((await this.users()).map(({ id }) => this.delete(id)));
  }

  async #kill(): Promise<void> {
    await Promise.all([this.#application?.kill('SIGKILL'), this.#gateway?.kill('SIGKILL')]);
  }

  get #options(): ProcessOptions {
    return { env: this.#environment, after: this.#after };
  }

  get #environment(): Record<string, string> {
    const ports = { PORT: String(this.port), GATEWAY_PORT: String(this.gatewayPort), HOST: '127.0.0.1' };
    // Empty rather than absent, so that variables of the developer's environment have no effect.
    const engine = { DATABASE_URL: '', PREGON_LOG: '', EXCHANGE: '', ...this.#engine };
    return { ...ports, DATA_DIR: this.data, ...engine };
  }
}

export function user(id: number | string, version = 0): User {
  return { id: String(id), name: `User ${id} v${version}`, email: `user${id}.v${version}@example.com` };
}

/**
 * How many clients make changes at the same time, each to separate users, so that the outcome for each user is known.
 */
const WRITERS = 5;
/** A multiple of {@link WRITERS}. */
const USERS = 150;

/** Makes `count` changes, with one event each: users are created, changed, and partly deleted. */
export async function makeChanges(app: UsersApp, count: number): Promise<void> {
  const present = new Set<number>();
  const write = async (writer: number) => {
    for (let i = writer; i < count; i += WRITERS) {
      const id = i % USERS;
      if (i % 7 === 6 && present.has(id)) {
        present.delete(id);
        await app.delete(`c${id}`);
      } else {
        present.add(id);
        await app.put(user(`c${id}`, i));
      }
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
}
