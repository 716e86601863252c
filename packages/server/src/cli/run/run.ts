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
import { onHangUp, stopRequested } from './signals.js';
import { SNAPSHOT_FLAG } from './snapshot-flag.js';

export const run: Command = {
  name: 'run',
  summary: 'Run a gateway',
  details: [
    'Without --route, the routes of the configuration are served. If it has none, each route given with --route has',
    'the path /<name>. Without --exchange, the exchanges of the configuration are read.',
  ],
  arguments: [
    {
      name: '[HOST:]PORT',
      required: false,
      description: `the address to listen on (default: ${DEFAULT_HOST}:${DEFAULT_PORT}); 0.0.0.0 for all interfaces`,
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
    broadcast: { kind: 'switch', description: 'relay each message of a client to all other clients on its route' },
    compress: { kind: 'switch', description: 'compress each event once, for all clients that offer compression' },
    cert: {
      kind: 'text',
      value: 'FILE',
      description: 'certificate (PEM); with --key, the gateway serves wss and https',
    },
    key: { kind: 'text', value: 'FILE', description: 'private key (PEM)' },
    'allowed-origin': {
      kind: 'text',
      value: 'ORIGIN',
      repeats: true,
      description: 'an origin whose pages may connect: https://shop.example (default: the origins of this machine)',
    },
    'trusted-proxy': {
      kind: 'text',
      value: 'CIDR',
      repeats: true,
      description: 'a proxy, or a subnet of them, whose X-Forwarded-For says who the client is (default: none)',
    },
    'allow-null-origin': {
      kind: 'switch',
      description: "also admit the origin null: Firefox's pages from disk, and sandboxed frames of any site",
    },
    access: {
      kind: 'text',
      choices: ['public'],
      description:
        'public admits every client whose origin is allowed, without a token (default: PREGON_ACCESS, else the configuration, else only this machine may connect)',
    },
    'flush-interval-ms': {
      kind: 'integer',
      value: 'N',
      description: 'the least time between two deliveries (default: 0)',
    },
    workers: {
      kind: 'text',
      value: 'N',
      description:
        'how many processes serve the port, each a gateway on the same log; auto for one per core (default: 1)',
    },
    'drain-ms': {
      kind: 'integer',
      value: 'N',
      description: `how long stopping may take (default: ${DEFAULT_DRAIN_MS})`,
    },
    'http-port': {
      kind: 'integer',
      value: 'N',
      description: 'also serve health, readiness, publishing and revocations, on this port',
    },
    'http-token-file': {
      kind: 'text',
      value: 'FILE',
      description:
        'a file with the token that publishers, and programs that revoke, must send to that port (default: PREGON_HTTP_TOKEN, else the configuration)',
    },
    'http-token': {
      kind: 'text',
      value: 'TOKEN',
      description: 'the same token on the command line, where ps shows it to every user of the machine',
      secret: () => 'use --http-token-file or PREGON_HTTP_TOKEN',
    },
    'log-format': { kind: 'text', choices: LOG_FORMATS, description: 'the format of log lines (default: text)' },
  },
  examples: [
    'pregon run 0.0.0.0:1234 --route=events --exchange=my_events',
    'pregon run --route=events --exchange=my_events --snapshot=http://localhost:8080/snapshots/users',
    'pregon run 1234 --config=pregon.yml --log-format=json',
    'pregon run 1234 --workers=auto',
    'pregon run 0.0.0.0:1234 --access=public --allowed-origin=https://shop.example',
  ],
  async run(invocation) {
    const place = invocation.settings.worker;
    // Create it before the first await: it listens to messages of the process that started it.
    const worker = place && new Worker(place);
    const plan = await planRun(invocation);
    const execArgv = heapFlags(process.execArgv, invocation.settings.variables['NODE_OPTIONS']);
    if (!worker && plan.workers > 1) return serveWithWorkers(plan, execArgv);
    // A process that only supervises workers does not need the gateway's modules.
    const { serve } = await import('./serve.js');
    return serve(plan, worker);
  },
};

/** Serves no clients itself: starts this command line again as worker processes, and supervises them. */
async function serveWithWorkers(plan: RunPlan, execArgv: readonly string[]): Promise<number> {
  const logger = createLogger(plan.logFormat, plan.logLevel);
  const { workers, drainMs, configuration, gateway } = plan;
  if (configuration.subscriberFiles.length > 0 && gateway.queues.length === 0) {
    logger.warn(
      { workers },
      'each worker has its own subscribers, so every event is handled once in each worker: name a queue (EXCHANGE:QUEUE) to share the work',
    );
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
  if (configuration.auth) onHangUp(() => primary.reload());
  return primary.run(stopRequested()).finally(() => logger.flush());
}
