import { readFileSync } from 'node:fs';
import { PregonError } from '@pregon/protocol';
import type { Configuration, RouteConfiguration } from '../config/configuration.js';
import { loadHandlers, loadSubscriber } from '../config/modules.js';
import type { Log } from '../core/log.js';
import { createGateway } from '../gateway/create-gateway.js';
import type { Gateway, ListenOptions } from '../gateway/gateway.js';
import type { Logger, RouteOptions } from '../gateway/options.js';
import { HttpPort } from '../http/http-port.js';
import { type OpenLogOptions, openLog } from '../log/open.js';
import { type Banner, sayBanner } from './banner.js';
import { type Command, type Invocation, UsageError } from './command.js';
import { type GatewayPlan, planGateway } from './gateway-plan.js';
import { baseUrl, DEFAULT_HOST, DEFAULT_PORT, type ListenAddress, parseListenAddress } from './listen-address.js';
import { chooseLog, LOG_FLAGS, readConfiguration } from './log-flags.js';
import { createLogger, LOG_FORMATS } from './loggers.js';
import { stopRequested } from './signals.js';
import { createWhenReadable } from './when-readable.js';

const DEFAULT_DRAIN_MS = 10_000;

/** Over which part of the time for stopping clients are told to come back, at most. */
const MAX_SPREAD_MS = 2_000;

export const run: Command = {
  name: 'run',
  summary: 'Run a gateway',
  details: [
    'Without --route, the routes of the configuration are served; where it has none, each route named has the path',
    '/<name>. Without --exchange, the exchanges of the configuration are read.',
  ],
  arguments: [
    {
      name: '[HOST:]PORT',
      required: false,
      description: `where to listen; ${DEFAULT_HOST}:${DEFAULT_PORT} unless given; 0.0.0.0 for all interfaces`,
    },
  ],
  flags: {
    route: { kind: 'text', value: 'NAME', repeats: true, description: 'a route to serve' },
    exchange: {
      kind: 'text',
      value: 'NAME',
      repeats: true,
      description: 'an exchange to read; EXCHANGE:QUEUE for subscribers that share the work',
    },
    ...LOG_FLAGS,
    broadcast: { kind: 'switch', description: 'relay what a client sends to all others on its route' },
    cert: { kind: 'text', value: 'FILE', description: 'certificate (PEM), together with --key: wss and https' },
    key: { kind: 'text', value: 'FILE', description: 'private key (PEM)' },
    'allowed-origin': {
      kind: 'text',
      value: 'ORIGIN',
      repeats: true,
      description: 'an origin whose pages may connect: https://shop.example; instead of those of this machine',
    },
    'flush-interval-ms': {
      kind: 'integer',
      value: 'N',
      description: 'the least time between two deliveries; 0 unless given',
    },
    'drain-ms': {
      kind: 'integer',
      value: 'N',
      description: `how long stopping may take; ${DEFAULT_DRAIN_MS} unless given`,
    },
    'http-port': {
      kind: 'integer',
      value: 'N',
      description: 'serve health, readiness and publishing on this port too',
    },
    'http-token': { kind: 'text', value: 'TOKEN', description: 'what publishers must show there' },
    'log-format': { kind: 'text', choices: LOG_FORMATS, description: 'how to log; text unless given' },
  },
  examples: [
    'pregon run 0.0.0.0:1234 --route=events --exchange=my_events',
    'pregon run 1234 --config=pregon.yml --log-format=json',
  ],
  async run(invocation) {
    const { flags, debug } = invocation;
    const address = parseListenAddress(invocation.argument('[HOST:]PORT'));
    const configuration = readConfiguration(invocation);
    const plan = planGateway(flags, configuration);
    const tls = readTls(invocation, configuration);
    const format = flags.text('log-format') ?? 'text';
    const logger = createLogger(format, debug ? 'debug' : 'info');
    const stop = stopRequested();
    const log = await openPlannedLog(chooseLog(invocation, configuration), {
      exchanges: plan.exchanges,
      ...(configuration.retention ? { retention: configuration.retention } : {}),
      logger,
      stop,
    });
    if (!log) return 0;
    const service = new Service(log, logger);
    try {
      const banner = await service.start({ invocation, configuration, plan, address, tls, stop });
      if (banner) sayBanner(banner, format, logger);
      const signal = await stop;
      logger.info({ signal }, 'stopping');
    } finally {
      await service.stop(flags.integer('drain-ms') ?? DEFAULT_DRAIN_MS);
    }
    logger.info({}, 'stopped');
    return 0;
  },
};

interface PlannedLogOptions extends Pick<OpenLogOptions, 'exchanges' | 'retention'> {
  readonly logger: Logger;
  readonly stop: Promise<string>;
}

/** @returns undefined where the process was told to stop while it waited for the log */
async function openPlannedLog(url: string, { logger, stop, ...options }: PlannedLogOptions): Promise<Log | undefined> {
  const stopping = new AbortController();
  void stop.then(() => stopping.abort());
  try {
    return await openLog(url, {
      ...options,
      signal: stopping.signal,
      onWarning: (err) => logger.warn({ err }, 'the log reports'),
      onState: (state) => {
        if (state.state === 'connected') logger.info({}, `connected to RabbitMQ at ${state.broker}`);
        else logger.warn({ err: state.error }, `waiting for RabbitMQ at ${state.broker}`);
      },
    });
  } catch (error) {
    if (stopping.signal.aborted && error instanceof PregonError && error.code === 'LOG_CLOSED') return undefined;
    throw error;
  }
}

interface StartOptions {
  readonly invocation: Invocation;
  readonly configuration: Configuration;
  readonly plan: GatewayPlan;
  readonly address: ListenAddress;
  readonly tls: Pick<ListenOptions, 'cert' | 'key'>;
  readonly stop: Promise<string>;
}

/** What runs: the log, the gateway on it, and the HTTP port beside it. */
class Service {
  readonly #log: Log;
  readonly #logger: Logger;
  #gateway: Gateway | undefined;
  #http: HttpPort | undefined;

  constructor(log: Log, logger: Logger) {
    this.#log = log;
    this.#logger = logger;
  }

  /** @returns undefined where the process was told to stop while it waited for the log */
  async start({ invocation, configuration, plan, address, tls, stop }: StartOptions): Promise<Banner | undefined> {
    const { flags } = invocation;
    const options = {
      ...configuration.limits,
      ...(flags.has('flush-interval-ms') ? { flushIntervalMs: flags.integer('flush-interval-ms') } : {}),
      log: this.#log,
      exchanges: plan.exchanges,
      queues: plan.queues,
      routes: await loadRoutes(plan.routes),
      subscribers: await Promise.all(configuration.subscriberFiles.map(loadSubscriber)),
      allowedOrigins: flags.has('allowed-origin') ? flags.list('allowed-origin') : configuration.allowedOrigins,
      secret: configuration.secret,
      socketIo: configuration.socketIo,
      logger: this.#logger,
    };
    const gateway = await createWhenReadable(() => createGateway(options), this.#logger, stop);
    if (!gateway) return undefined;
    this.#gateway = gateway;
    const http = await this.#openHttp(invocation, configuration, plan, gateway);
    const bound = await gateway.listen({ ...address, ...tls });
    return {
      host: address.host,
      port: bound.port,
      url: baseUrl(tls.cert === undefined ? 'ws' : 'wss', { host: address.host, port: bound.port }),
      routes: gateway.routes.map(({ name, path }) => ({ name, path })),
      exchanges: plan.exchanges,
      log: this.#log.name,
      configuration: configuration.file,
      http: http && baseUrl('http', http.address),
    };
  }

  async stop(drainMs: number): Promise<void> {
    await this.#gateway?.close({ spreadMs: Math.min(MAX_SPREAD_MS, drainMs), timeoutMs: drainMs });
    await this.#http?.close();
    await this.#log.close();
  }

  async #openHttp(invocation: Invocation, configuration: Configuration, plan: GatewayPlan, gateway: Gateway) {
    const { flags } = invocation;
    const port = flags.integer('http-port') ?? configuration.http?.port;
    if (port === undefined && flags.has('http-token')) throw new UsageError('--http-token needs --http-port');
    if (port === undefined) return undefined;
    this.#http = await HttpPort.open({
      port,
      host: configuration.http?.host,
      token: flags.text('http-token') ?? configuration.http?.token,
      exchanges: plan.exchanges,
      notReady: () => gateway.notReady,
      append: (event) => appendOne(this.#log, event),
      logger: this.#logger,
    });
    return this.#http;
  }
}

async function appendOne(log: Log, event: Parameters<Log['append']>[0][number]) {
  const [point] = await log.append([event]);
  if (!point) throw new TypeError('a log must answer one point for each event');
  return point;
}

async function loadRoutes(routes: Readonly<Record<string, RouteConfiguration>>): Promise<Record<string, RouteOptions>> {
  const loaded: Record<string, RouteOptions> = {};
  for (const [name, { handlerFiles, ...route }] of Object.entries(routes)) {
    loaded[name] = { ...route, handlers: await Promise.all(handlerFiles.map(loadHandlers)) };
  }
  return loaded;
}

function readTls({ flags }: Invocation, configuration: Configuration): Pick<ListenOptions, 'cert' | 'key'> {
  const cert = flags.text('cert');
  const key = flags.text('key');
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('--cert and --key go together');
  const files = cert !== undefined && key !== undefined ? { cert, key } : configuration.tls;
  return files ? { cert: readPem('cert', files.cert), key: readPem('key', files.key) } : {};
}

/** @throws PregonError CONFIG_INVALID */
function readPem(flag: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PregonError('CONFIG_INVALID', `--${flag}: ${why}`, { cause });
  }
}
