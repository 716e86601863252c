import { PregonError, RESERVED_EXCHANGE } from '@pregon/protocol';
import { healthRoutes } from '../../admin/health/health-routes.js';
import { HttpPort } from '../../admin/http-port.js';
import { publishRoute } from '../../admin/publish/publish-route.js';
import { revocationRoute } from '../../admin/revocations/revocation-route.js';
import type { RouteConfiguration } from '../../config/configuration.js';
import { loadHandlers, loadSubscriber } from '../../config/modules.js';
import type { CountChannel } from '../../core/counts/count-exchange.js';
import type { Log } from '../../core/ports/log.js';
import { assembleGateway } from '../../gateway/assemble.js';
import type { Logger, RouteOptions } from '../../gateway/options.js';
import type { ServedGateway } from '../../gateway/running-gateway.js';
import type { Facts } from '../../workers/messages.js';
import { WorkerSiblings } from '../../workers/shared-entrance.js';
import type { Worker } from '../../workers/worker.js';
import { baseUrl } from './listen-address.js';
import type { RunPlan } from './run-plan.js';
import { createWhenReadable } from './when-readable.js';

/** The longest time over which the reconnect requests to clients are spread when a gateway stops. */
const MAX_SPREAD_MS = 2_000;

/**
 * Opens the log that a plan names.
 *
 * @returns the log; undefined if the process was stopped while it waited for the log
 */
export async function openPlannedLog(
  { log, driver, gateway, configuration }: RunPlan,
  { logger, stop }: { readonly logger: Logger; readonly stop: Promise<string> },
): Promise<Log | undefined> {
  const stopping = new AbortController();
  void stop.then(() => stopping.abort());
  try {
    return await driver.open(log, {
      exchanges: [...gateway.exchanges, RESERVED_EXCHANGE],
      ...(configuration.retention ? { retention: configuration.retention } : {}),
      signal: stopping.signal,
      onWarning: (err) => logger.warn({ err }, 'the log reports'),
      onState: (state) => {
        if (state.state === 'connected') logger.info({}, `connected to ${driver.name} at ${state.broker}`);
        else logger.warn({ err: state.error }, `waiting for ${driver.name} at ${state.broker}`);
      },
    });
  } catch (error) {
    if (stopping.signal.aborted && error instanceof PregonError && error.code === 'LOG_CLOSED') return undefined;
    throw error;
  }
}

export interface ServiceOptions {
  readonly plan: RunPlan;
  readonly log: Log;
  readonly logger: Logger;
  /** The worker that this process is; undefined if it is the only process. */
  readonly worker: Worker | undefined;
}

/** The parts that run in this process: the log, the gateway that reads it, and the HTTP port. */
export class Service {
  readonly #options: ServiceOptions;
  #gateway: ServedGateway | undefined;
  #http: HttpPort | undefined;

  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  /** @returns undefined if the process was stopped while it waited for the log */
  async start(stop: Promise<string>): Promise<Facts | undefined> {
    const { plan, log, logger, worker } = this.#options;
    const { configuration } = plan;
    const options = {
      ...configuration.limits,
      ...(plan.flushIntervalMs === undefined ? {} : { flushIntervalMs: plan.flushIntervalMs }),
      log,
      exchanges: plan.gateway.exchanges,
      queues: plan.gateway.queues,
      routes: await loadRoutes(plan.gateway.routes),
      subscribers: await Promise.all(configuration.subscriberFiles.map(loadSubscriber)),
      ...plan.access,
      trustedProxies: plan.trustedProxies,
      secret: configuration.secret,
      snapshotSecretFile: configuration.snapshotSecretFile,
      socketIo: configuration.socketIo,
      auth: configuration.auth,
      namespaces: configuration.namespaces,
      logger,
    };
    const siblings = worker && new WorkerSiblings(worker);
    const gateway = await createWhenReadable(() => assembleGateway(options, siblings), logger, stop);
    if (!gateway) return undefined;
    this.#gateway = gateway;
    if (worker) {
      worker.notReady = () => gateway.notReady;
      const tell: CountChannel['tell'] = (counts, written) => worker.tellCounts(counts, written);
      worker.onCounts = gateway.access.share({ processes: plan.workers, tell });
    }
    const http = await this.#openHttp(gateway);
    const { port } = await gateway.listen({ ...plan.address, ...plan.tls });
    return { port, log: log.name, http: http && baseUrl('http', http.address) };
  }

  /** Reads the keys of tokens again. A gateway that is still starting reads them anyway. */
  async reloadKeys(): Promise<void> {
    if (!this.#gateway) return;
    await this.#gateway.reloadKeys();
    this.#options.logger.info({}, 'the keys of tokens were read again');
  }

  async stop(): Promise<void> {
    const { drainMs } = this.#options.plan;
    await this.#gateway?.close({ spreadMs: Math.min(MAX_SPREAD_MS, drainMs), timeoutMs: drainMs });
    await this.#http?.close();
    await this.#options.log.close();
  }

  async #openHttp(gateway: ServedGateway) {
    const { plan, logger, worker } = this.#options;
    if (!plan.http) return undefined;
    const { token, ...address } = plan.http;
    this.#http = await HttpPort.open({
      ...address,
      handshakeTimeoutMs: plan.configuration.limits.handshakeTimeoutMs,
      addressOf: gateway.access.clients.addressOf,
      routes: [
        ...healthRoutes(() => (worker ? worker.anyNotReady() : gateway.notReady)),
        revocationRoute({
          token,
          failures: gateway.access.failures,
          record: (revocation) => gateway.record(revocation),
        }),
        publishRoute({
          token,
          rules: gateway.publishing,
          limits: gateway.access,
          exchanges: plan.gateway.exchanges,
          append: (event) => gateway.append(event),
        }),
      ],
      logger,
    });
    return this.#http;
  }
}

async function loadRoutes(routes: Readonly<Record<string, RouteConfiguration>>): Promise<Record<string, RouteOptions>> {
  const loaded: Record<string, RouteOptions> = {};
  for (const [name, { handlerFiles, ...route }] of Object.entries(routes)) {
    loaded[name] = { ...route, handlers: await Promise.all(handlerFiles.map(loadHandlers)) };
  }
  return loaded;
}
