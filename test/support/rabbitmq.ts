import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { connect } from 'amqplib';
import { afterAll, beforeAll, describe } from 'vitest';
import { afterTest } from './cleanup.js';
import { isHidden, isRequired } from './machine.js';
import { stablePort } from './ports.js';

/** The broker that all tests share, with the user and password of a fresh installation. */
export const SHARED_BROKER = 'amqp://guest:guest@127.0.0.1:5672';

/** The self-signed TLS certificate of brokers that tests start. */
export const CERTIFICATE = fileURLToPath(new URL('tls/cert.pem', import.meta.url));

/** The programs themselves in the folder of Debian, because those in the path change the user first. */
const PROGRAMS = '/usr/lib/rabbitmq/bin';

const reachable = !isHidden('rabbitmq') && (await isReachable(5672));
const installed = !isHidden('rabbitmq') && existsSync(join(PROGRAMS, 'rabbitmq-server'));

const STARTING_MS = 180_000;
const STOPPING_MS = 60_000;

/**
 * A suite that needs the shared broker. If there is none, the suite is skipped and says so, unless everything is
 * required.
 */
export function describeWithBroker(name: string, suite: () => void): void {
  if (reachable || isRequired) describe(name, suite);
  else describe.skip(`${name} (skipped: no RabbitMQ at 127.0.0.1:5672)`, suite);
}

/** A suite that starts its own brokers. It is skipped if RabbitMQ is not installed, see above. */
export function describeWithBrokerPrograms(name: string, suite: () => void): void {
  if (installed || isRequired) describe(name, suite);
  else describe.skip(`${name} (skipped: install RabbitMQ, apt-get install rabbitmq-server)`, suite);
}

/**
 * A suite with its own broker, which it may stop, kill and start. It is skipped if RabbitMQ is not installed, see
 * above.
 */
export function describeWithOwnBroker(name: string, suite: (broker: OwnBroker) => void): void {
  const broker = new OwnBroker();
  describeWithBrokerPrograms(name, () => {
    beforeAll(() => broker.start(), STARTING_MS);
    afterAll(() => broker.dispose(), STOPPING_MS);
    suite(broker);
  });
}

/** Unique names for a test at a broker; what has these names is removed after the test. */
export interface TestNames {
  readonly url: string;
  readonly stream: string;
  readonly exchange: string;
}

let names = 0;

export function testNames(broker: string = SHARED_BROKER): TestNames {
  names += 1;
  const unique = `pregon-test-${process.pid}-${Date.now().toString(36)}-${names}`;
  const stream = unique;
  const exchange = `${unique}-events`;
  afterTest(() => deleteQueues(broker, [stream, `${stream}.keys`], [exchange]));
  return { url: `${broker}/?stream=${stream}`, stream, exchange };
}

/** Deletes queues and exchanges, whether they exist or not. */
export async function deleteQueues(
  broker: string,
  queues: readonly string[],
  exchanges: readonly string[] = [],
): Promise<void> {
  const connection = await connect(broker);
  const channel = await connection.createChannel();
  for (const queue of queues) await channel.deleteQueue(queue);
  for (const exchange of exchanges) await channel.deleteExchange(exchange);
  await connection.close();
}

/**
 * Creates a virtual host on the shared broker, for suites that cannot choose their names.
 *
 * @returns its URL
 */
export async function createVirtualHost(): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `pregon-test-${process.pid}-${Date.now().toString(36)}`;
  await runProgram('rabbitmqctl', ['add_vhost', name]);
  await runProgram('rabbitmqctl', ['set_permissions', '-p', name, 'guest', '.*', '.*', '.*']);
  const drop = async () => void (await runProgram('rabbitmqctl', ['delete_vhost', name]));
  return { url: `${SHARED_BROKER}/${name}`, drop };
}

/** A RabbitMQ node with its own ports and data folder, which survives restarts. */
export class OwnBroker {
  #folder: string | undefined;
  #port = 0;
  #tlsPort = 0;
  #environment: NodeJS.ProcessEnv = {};
  #process: ChildProcess | undefined;

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `amqp://guest:guest@127.0.0.1:${this.#port}`;
  }

  /** Like `url`, over TLS with {@link CERTIFICATE}. */
  get tlsUrl(): string {
    return `amqps://guest:guest@127.0.0.1:${this.#tlsPort}`;
  }

  /** The pid of the node itself; the started program only waits for it. */
  get pid(): number {
    return Number(readFileSync(join(this.#folder ?? '', 'pid'), 'utf8'));
  }

  /** Starts or restarts the node; resolves when it accepts connections. */
  async start(): Promise<void> {
    if (this.#folder === undefined) await this.#prepare();
    const child = spawn(join(PROGRAMS, 'rabbitmq-server'), [], { env: this.#environment, stdio: 'ignore' });
    this.#process = child;
    process.once('exit', this.#killAll);
    const deadline = performance.now() + STARTING_MS;
    while (!(await isReachable(this.#port))) {
      if (child.exitCode !== null) throw new Error(`the broker ended with ${child.exitCode}:\n${this.#lastWords()}`);
      if (performance.now() > deadline) throw new Error(`no broker listens on port ${this.#port} in time`);
      await delay(20);
    }
  }

  /** Stops the node as an operator would. */
  async stop(): Promise<void> {
    await this.#end(() => this.#process?.kill('SIGTERM'));
  }

  /** Kills the node, as the system does when it runs out of memory. */
  async kill(): Promise<void> {
    await this.#end(() => process.kill(this.pid, 'SIGKILL'));
  }

  /** Runs `rabbitmqctl` for this node. */
  async control(...args: string[]): Promise<string> {
    return runProgram('rabbitmqctl', args, this.#environment);
  }

  async dispose(): Promise<void> {
    if (this.#process) await this.kill();
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  async #prepare(): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'pregon-broker-'));
    this.#folder = folder;
    this.#port = await stablePort();
    writeFileSync(join(folder, 'enabled_plugins'), '[].');
    writeFileSync(join(folder, 'env.conf'), '');
    this.#tlsPort = await stablePort();
    writeFileSync(
      join(folder, 'rabbitmq.conf'),
      `listeners.ssl.1 = 127.0.0.1:${this.#tlsPort}
ssl_options.cacertfile = ${CERTIFICATE}
ssl_options.certfile = ${CERTIFICATE}
ssl_options.keyfile = ${join(CERTIFICATE, '../key.pem')}
`,
    );
    this.#environment = {
      PATH: process.env['PATH'],
      HOME: folder,
      ERL_EPMD_ADDRESS: '127.0.0.1',
      RABBITMQ_NODENAME: `pregon-test-${this.#port}@localhost`,
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_NODE_PORT: String(this.#port),
      RABBITMQ_DIST_PORT: String(await stablePort()),
      RABBITMQ_MNESIA_BASE: join(folder, 'data'),
      RABBITMQ_LOG_BASE: join(folder, 'log'),
      RABBITMQ_PID_FILE: join(folder, 'pid'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
      RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq'),
      RABBITMQ_CONF_ENV_FILE: join(folder, 'env.conf'),
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    };
  }

  #lastWords(): string {
    const log = join(this.#folder ?? '', 'log', `${this.#environment['RABBITMQ_NODENAME']}.log`);
    return existsSync(log) ? readFileSync(log, 'utf8').slice(-2_000) : 'it has not written a log';
  }

  async #end(how: () => void): Promise<void> {
    const child = this.#process;
    if (!child) return;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      how();
      await ended;
    }
    this.#process = undefined;
    process.removeListener('exit', this.#killAll);
  }

  /** No broker survives if the test process is ended. */
  readonly #killAll = (): void => {
    process.kill(this.pid, 'SIGKILL');
  };
}

/** Debian's own programs change the user and do not support other nodes, so the programs themselves are run. */
async function runProgram(name: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<string> {
  const program = env ? join(PROGRAMS, name) : name;
  const { stdout } = await promisify(execFile)(program, args, env ? { env } : {});
  return stdout;
}

function isReachable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectSocket(port, '127.0.0.1');
    const settle = (reached: boolean) => {
      socket.destroy();
      resolve(reached);
    };
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
  });
}
