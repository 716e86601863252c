import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hidePassword } from '../addresses.js';
import { ROUTE } from '../names.js';
import type { Settings } from '../settings.js';

/** A process that the reference application consists of. */
export interface ProcessPlan {
  readonly name: 'app' | 'gateway';
  /** What people call it. */
  readonly title: string;
  /** Where it takes connections. */
  readonly port: number;
  /** The variable that decides the port. */
  readonly variable: string;
  readonly argv: readonly string[];
  /** What to open, or to connect to. */
  readonly url: string;
  /** What goes on while it is down. */
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
    meanwhile: 'The gateway goes on: what was committed is still delivered, and the pages stay connected.',
  };
}

/** The gateway is the `pregon` command, as anybody would run it. */
export function planGateway({ host, gatewayPort, log, exchange }: Settings): ProcessPlan {
  return {
    name: 'gateway',
    title: 'gateway',
    port: gatewayPort,
    variable: 'GATEWAY_PORT',
    argv: [
      // A smaller young generation: connections that come by the thousand hold up nobody (docs/operations/running.md).
      '--max-semi-space-size=2',
      commandFile(),
      'run',
      `${host}:${gatewayPort}`,
      `--route=${ROUTE.name}`,
      `--exchange=${exchange}`,
      // Everybody on this machine can see the arguments of a process. PREGON_LOG, which it finds in its environment, is its own affair.
      ...(hidePassword(log) === log ? [`--log=${log}`] : []),
      `--config=${fileURLToPath(new URL('../../pregon.yml', import.meta.url))}`,
    ],
    url: `ws://${nameOf(host)}:${gatewayPort}${ROUTE.path}`,
    meanwhile: 'The application goes on, and so do the pages: they connect again by themselves and miss nothing.',
  };
}

/** An address of this machine at which a server on `host` is reached. */
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
