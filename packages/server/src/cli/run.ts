import { variablesOfWorker } from '../settings.js';
import { heapFlags } from '../workers/heap-flags.js';
import type { Facts } from '../workers/messages.js';
import { Primary } from '../workers/primary.js';
import { Worker } from '../workers/worker.js';
import { bannerOf, sayBanner } from './banner.js';
import type { Command } from './command.js';
import { DEFAULT_HOST, DEFAULT_PORT } from './listen-address.js';
import { LOG_FLAGS } from './log-flags.js';
import { createLogger, LOG_FORMATS } from './loggers.js';
import { DEFAULT_DRAIN_MS, planRun, type RunPlan } from './run-plan.js';
import { openPlannedLog, Service } from './service.js';
import { stopRequested } from './signals.js';

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
    compress: { kind: 'switch', description: 'compress events, once for all clients that offer it' },
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
    workers: {
      kind: 'text',
      value: 'N',
      description:
        'serve the port with so many processes, each a gateway on the same log; auto for one on each core; 1 unless given',
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
    'pregon run 1234 --workers=auto',
  ],
  async run(invocation) {
    const plan = planRun(invocation);
    const place = invocation.settings.worker;
    if (place) return serve(plan, new Worker(place));
    const execArgv = heapFlags(process.execArgv, invocation.settings.variables['NODE_OPTIONS']);
    return plan.workers === 1 ? serve(plan, undefined) : serveWithWorkers(plan, execArgv);
  },
};

/** The gateway in this process: the only one, or a worker among several. */
async function serve(plan: RunPlan, worker: Worker | undefined): Promise<number> {
  const logger = createLogger(plan.logFormat, plan.logLevel, worker?.place.number);
  const stop = worker?.stop ?? stopRequested();
  const log = await openPlannedLog(plan, { logger, stop });
  if (!log) return 0;
  const service = new Service({ plan, log, logger, worker });
  try {
    const facts = await service.start(stop);
    if (facts && worker) worker.serving(facts);
    else if (facts) sayBanner(bannerOf(plan, facts), plan.logFormat, logger);
    const signal = await stop;
    logger.info({ signal }, 'stopping');
  } finally {
    await service.stop();
  }
  logger.info({}, 'stopped');
  return 0;
}

/** Serves nothing itself: starts this command line again as workers, and looks after them. */
function serveWithWorkers(plan: RunPlan, execArgv: readonly string[]): Promise<number> {
  const logger = createLogger(plan.logFormat, plan.logLevel);
  const { workers, drainMs, configuration, gateway } = plan;
  if (configuration.subscriberFiles.length > 0 && gateway.queues.length === 0) {
    logger.warn({ workers }, 'each worker has its own subscribers: every event is handled by each of them');
  }
  const onServing = (facts: Facts) => sayBanner(bannerOf(plan, facts), plan.logFormat, logger);
  const primary = new Primary({ workers, variablesOf: variablesOfWorker, execArgv, drainMs, onServing, logger });
  return primary.run(stopRequested());
}
