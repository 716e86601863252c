import { fileURLToPath } from 'node:url';
import { ServerProcess } from './server-process.js';

const PREGON = fileURLToPath(import.meta.resolve('pregon/package.json')).replace(/package\.json$/, 'dist/cli/main.js');

export interface GatewayProcessOptions {
  /** The working directory, which contains no configuration. */
  readonly folder: string;
  /** The value of `--log`. */
  readonly log: string;
  readonly exchange: string;
  /** Flags for Node.js. */
  readonly execArgv: readonly string[];
  /** How many processes serve clients. @default 1 */
  readonly workers?: number;
}

/** Starts `pregon run` as a user would, with the route `/events`; resolves when it listens. */
export function startGateway(options: GatewayProcessOptions): Promise<{ server: ServerProcess; port: number }> {
  const { folder, log, exchange, execArgv, workers = 1 } = options;
  const flags = ['--route=events', `--exchange=${exchange}`, `--log=${log}`, '--log-format=json', '--drain-ms=0'];
  return ServerProcess.start([...execArgv, PREGON, 'run', '127.0.0.1:0', `--workers=${workers}`, ...flags], folder);
}
