import { fileURLToPath } from 'node:url';
import { ServerProcess } from './server-process.js';

const PREGON = fileURLToPath(import.meta.resolve('pregon/package.json')).replace(/package\.json$/, 'dist/cli/main.js');

export interface GatewayProcessOptions {
  /** Where it runs: no configuration is found there. */
  readonly folder: string;
  /** As `--log` takes it. */
  readonly log: string;
  readonly exchange: string;
  /** Flags for its Node.js. */
  readonly execArgv: readonly string[];
  /** How many processes serve. @default 1 */
  readonly workers?: number;
}

/** Starts `pregon run`, as anybody would run it, with the route `/events`; resolves when it listens. */
export function startGateway(options: GatewayProcessOptions): Promise<{ server: ServerProcess; port: number }> {
  const { folder, log, exchange, execArgv, workers = 1 } = options;
  const flags = ['--route=events', `--exchange=${exchange}`, `--log=${log}`, '--log-format=json', '--drain-ms=0'];
  return ServerProcess.start([...execArgv, PREGON, 'run', '127.0.0.1:0', `--workers=${workers}`, ...flags], folder);
}
