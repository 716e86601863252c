import { secretVariables, variablesOfWorker } from '../../settings.js';
import { heapFlags } from '../../workers/heap-flags.js';
import type { Facts } from '../../workers/messages.js';
import { Primary } from '../../workers/primary.js';
import { Worker } from '../../workers/worker.js';
import type { Command } from '../command.js';
import { LOG_FLAGS } from '../log-flags.js';
import { createLogger, LOG_FORMATS } from '../logging/loggers.js';
import { bannerOf, sayBanner } from './banner.js';
import { DEFAULT_HOST, DEFAULT_PORT } from './listen-address.js';
import { DEFAULT_DRAIN_MS, planRun, type RunPlan } from './run-plan.js';
import { withoutSecrets } from './secret-arguments.js';
import { stopRequested } from './signals.js';
import { SNAPSHOT_FLAG } from './snapshot-flag.js';

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
    snapshot: SNAPSHOT_FLAG,
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
    'http-token-file': {
      kind: 'text',
      value: 'FILE',
      description: 'a file with what publishers must show there; else PREGON_HTTP_TOKEN, else the configuration',
    },
    'http-token': {
      kind: 'text',
      value: 'TOKEN',
      description: 'the same on the command line, where ps shows it to everybody on the machine',
      secret: () => 'use --http-token-file or PREGON_HTTP_TOKEN',
    },
    'log-format': { kind: 'text', choices: LOG_FORMATS, description: 'how to log; text unless given' },
  },
  examples: [
    'pregon run 0.0.0.0:1234 --route=events --exchange=my_events',
    'pregon run --route=events --exchange=my_events --snapshot=http://localhost:8080/snapshots/users',
    'pregon run 1234 --config=pregon.yml --log-format=json',
    'pregon run 1234 --workers=auto',
  ],
  async run(invocation) {
    const place = invocation.settings.worker;
    // Before anything is waited for: it listens to the process that started it.
    const worker = place && new Worker(place);
    const plan = await planRun(invocation);
    const execArgv = heapFlags(process.execArgv, invocation.settings.variables['NODE_OPTIONS']);
    if (!worker && plan.workers > 1) return serveWithWorkers(plan, execArgv);
    // A process that only looks after workers needs nothing of a gateway.
    const { serve } = await import('./serve.js');
    return serve(plan, worker);
  },
};

/** Serves nothing itself: starts this command line again as workers, and looks after them. */
async function serveWithWorkers(plan: RunPlan, execArgv: readonly string[]): Promise<number> {
  const logger = createLogger(plan.logFormat, plan.logLevel);
  const { workers, drainMs, configuration, gateway } = plan;
  if (configuration.subscriberFiles.length > 0 && gateway.queues.length === 0) {
    logger.warn({ workers }, 'each worker has its own subscribers: every event is handled by each of them');
  }
  const onServing = (facts: Facts) => sayBanner(bannerOf(plan, facts), plan.logFormat, logger);
  const secrets = secretVariables({ log: plan.log, httpToken: plan.http?.token });
  const primary = new Primary({
    workers,
    args: withoutSecrets(process.argv.slice(2)),
    variablesOf: (number, folder) => ({ ...variablesOfWorker(number, folder), ...secrets }),
    execArgv,
    drainMs,
    onServing,
    logger,
  });
  return primary.run(stopRequested()).finally(() => logger.flush());
}
