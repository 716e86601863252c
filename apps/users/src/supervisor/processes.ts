import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hidePassword } from '../addresses.js';
import { ROUTE } from '../names.js';
import type { Settings } from '../settings.js';

/** One of the processes of the reference application. */
export interface ProcessPlan {
  readonly name: 'app' | 'gateway';
  /** The name of the process for messages. */
  readonly title: string;
  /** The port on which it accepts connections. */
  readonly port: number;
  /** The environment variable that sets the port. */
  readonly variable: string;
  readonly argv: readonly string[];
  /** The URL to open, or to connect to. */
  readonly url: string;
  /** A sentence about what still works while the process is down. */
  readonly meanwhile: string;
}

export function planApplication({ host, port }: Settings): ProcessPlan {
  return {
    name: 'app',
    title: 'application',
    port,
    variable: 'PORT',
    argv: [fileURLToPath(new URL('../server.js', import.meta.url))],
    url: `http://${nameOf(host)}:${port}`,
    meanwhile: 'The gateway continues: committed events are still delivered, and the pages stay connected.',
  };
}

/** The gateway is the `pregon` command, as a user would run it. */
export function planGateway({ host, gatewayPort, log, exchange }: Settings): ProcessPlan {
  return {
    name: 'gateway',
    title: 'gateway',
    port: gatewayPort,
    variable: 'GATEWAY_PORT',
    argv: [
      // A smaller young generation keeps garbage collection short when thousands connect (docs/operations/running.md).
      '--max-semi-space-size=2',
      commandFile(),
      'run',
      `${host}:${gatewayPort}`,
      `--route=${ROUTE.name}`,
      `--exchange=${exchange}`,
      // Every local user can see the arguments of a process. A log with a password is passed by PREGON_LOG in the
      // environment.
      ...(hidePassword(log) === log ? [`--log=${log}`] : []),
      `--config=${fileURLToPath(new URL('../../pregon.yml', import.meta.url))}`,
    ],
    url: `ws://${nameOf(host)}:${gatewayPort}${ROUTE.path}`,
    meanwhile: 'The application and the pages continue: the pages reconnect by themselves and miss nothing.',
  };
}

/** A local address that reaches a server on `host`. */
export function loopbackOf(host: string): string {
  return host === '0.0.0.0' ? '127.0.0.1' : host;
}

function nameOf(host: string): string {
  return host === '127.0.0.1' || host === '0.0.0.0' ? 'localhost' : host;
}

/** The file of the `pregon` command, as its package declares it. */
function commandFile(): string {
  const manifest = fileURLToPath(import.meta.resolve('pregon/package.json'));
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8'));
  return join(dirname(manifest), typeof bin === 'string' ? bin : bin.pregon);
}
