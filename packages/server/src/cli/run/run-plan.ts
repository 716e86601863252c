import { readFileSync } from 'node:fs';
import { messageOf, PregonError } from '@pregon/protocol';
import { isAddressOrSubnet, NO_ADDRESS } from '../../access/addresses/address-list.js';
import type { Configuration } from '../../config/configuration.js';
import { NO_WORKERS, parseWorkers } from '../../config/workers.js';
import type { LogDriver } from '../../core/ports/log-driver.js';
import { assertProductionAccess } from '../../gateway/access/access-mode.js';
import type { ListenOptions } from '../../gateway/gateway.js';
import type { Invocation } from '../command.js';
import type { Flags } from '../flags.js';
import { chooseLog, findLogDriver, readConfiguration } from '../log-flags.js';
import { readTokenFile } from '../token-input.js';
import { UsageError } from '../usage-error.js';
import { type AccessPlan, planAccess } from './access-plan.js';
import { type GatewayPlan, planGateway } from './gateway-plan.js';
import { type ListenAddress, parseListenAddress } from './listen-address.js';

export const DEFAULT_DRAIN_MS = 10_000;

/** What `pregon run` does, from flags and configuration combined. It is complete before anything is opened. */
export interface RunPlan {
  readonly configuration: Configuration;
  readonly gateway: GatewayPlan;
  readonly address: ListenAddress;
  readonly tls: Pick<ListenOptions, 'cert' | 'key'>;
  /** The URL of the log. */
  readonly log: string;
  readonly driver: LogDriver;
  readonly http: { readonly port: number; readonly host?: string; readonly token: string | undefined } | undefined;
  readonly access: AccessPlan;
  readonly trustedProxies: readonly string[] | undefined;
  readonly flushIntervalMs: number | undefined;
  readonly drainMs: number;
  /** How many processes serve clients; 1 means only this process. */
  readonly workers: number;
  readonly logFormat: string;
  readonly logLevel: 'debug' | 'info';
}

/** @throws UsageError | PregonError CONFIG_INVALID | ROUTE_UNKNOWN */
export async function planRun(invocation: Invocation): Promise<RunPlan> {
  const { flags, debug } = invocation;
  const address = parseListenAddress(invocation.argument('[HOST:]PORT'));
  const workers = readWorkers(invocation);
  const configuration = await readConfiguration(invocation);
  const log = chooseLog(invocation, configuration);
  const plan = {
    configuration,
    gateway: planGateway(flags, configuration),
    address,
    tls: readTls(invocation, configuration),
    log,
    driver: await findLogDriver(log, () => configuration),
    http: readHttp(invocation, configuration),
    access: planAccess(invocation, configuration),
    trustedProxies: readProxies(invocation, configuration),
    flushIntervalMs: flags.integer('flush-interval-ms'),
    drainMs: flags.integer('drain-ms') ?? DEFAULT_DRAIN_MS,
    workers: workers ?? configuration.workers ?? 1,
    logFormat: flags.text('log-format') ?? 'text',
    logLevel: debug ? ('debug' as const) : ('info' as const),
  };
  const { auth } = configuration;
  const { routes } = plan.gateway;
  assertProductionAccess({ auth, routes, access: plan.access.access }, invocation.settings.isProduction);
  assertShared(plan);
  plan.driver.assertUrl(log);
  return plan;
}

function readProxies({ flags }: Invocation, { limits }: Configuration): RunPlan['trustedProxies'] {
  if (!flags.has('trusted-proxy')) return limits.trustedProxies;
  const trustedProxies = flags.list('trusted-proxy');
  const wrong = trustedProxies.find((entry) => !isAddressOrSubnet(entry));
  if (wrong !== undefined) throw new UsageError(`--trusted-proxy: "${wrong}" ${NO_ADDRESS}`);
  return trustedProxies;
}

function readWorkers({ flags }: Invocation): number | undefined {
  const text = flags.text('workers');
  if (text === undefined) return undefined;
  const workers = parseWorkers(text);
  if (workers === undefined) throw new UsageError(`--workers ${NO_WORKERS}, not "${text}"`);
  return workers;
}

/** With a log that is private to a process, the clients of a worker would get only the events of that worker. */
function assertShared({ workers, log, driver }: Pick<RunPlan, 'workers' | 'log' | 'driver'>): void {
  const capabilities = driver.capabilities(log);
  if (workers === 1 || capabilities.processes === 'many') return;
  const where = `${capabilities.what} (${driver.schemes[0]}:)`;
  const others = 'another log, such as sqlite:PATH or amqp://USER:PASSWORD@HOST/VHOST';
  throw new PregonError('CONFIG_INVALID', `${where} belongs to a single process: ${workers} workers need ${others}`);
}

function readHttp({ flags, settings }: Invocation, configuration: Configuration): RunPlan['http'] {
  const port = flags.integer('http-port') ?? configuration.http?.port;
  for (const name of ['http-token', 'http-token-file'] as const) {
    if (port === undefined && flags.has(name)) throw new UsageError(`--${name} needs --http-port`);
  }
  if (port === undefined) return undefined;
  const { host, token } = configuration.http ?? {};
  return { port, ...(host === undefined ? {} : { host }), token: readToken(flags) ?? settings.httpToken ?? token };
}

/** @throws UsageError | PregonError CONFIG_INVALID */
function readToken(flags: Flags): string | undefined {
  const file = flags.text('http-token-file');
  if (file === undefined) return flags.text('http-token');
  if (flags.has('http-token'))
    throw new UsageError('--http-token-file and --http-token both give the token: remove one of them');
  return readTokenFile('http-token-file', file);
}

function readTls({ flags }: Invocation, configuration: Configuration): Pick<ListenOptions, 'cert' | 'key'> {
  const cert = flags.text('cert');
  const key = flags.text('key');
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('--cert and --key must be given together');
  const files = cert !== undefined && key !== undefined ? { cert, key } : configuration.tls;
  return files ? { cert: readFile('cert', files.cert), key: readFile('key', files.key) } : {};
}

/** @throws PregonError CONFIG_INVALID */
function readFile(flag: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const why = messageOf(cause);
    throw new PregonError('CONFIG_INVALID', `--${flag}: ${why}`, { cause });
  }
}
