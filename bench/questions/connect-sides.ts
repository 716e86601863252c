import { fileURLToPath } from 'node:url';
import { Child } from '../processes/child.js';
import { startGateway } from '../processes/gateway-process.js';
import { numberOf } from '../processes/messages.js';
import { SERVER_FLAGS } from '../processes/server-flags.js';
import { ServerProcess } from '../processes/server-process.js';
import type { Context } from '../question.js';
import { cpuMicros, newLogUrl } from './sides.js';

const POLL_MS = 20;
const PATIENCE_MS = 20_000;
const WS_LOGGING = fileURLToPath(new URL('../servers/ws-logging.js', import.meta.url));

/** A server that the load client connects to. */
export interface ConnectSide {
  readonly port: number;
  cpuMicros(): Promise<number>;
  /** Checks that this many connections are open. */
  opened(count: number): Promise<void>;
  /** Resolves when this many connections have closed since the last call, and the server is done with them. */
  closed(count: number): Promise<void>;
  end(): Promise<void>;
}

/**
 * A server that writes a log line per connection to a pipe: `pregon run`, or a service on `ws` with pino. Every line
 * must arrive.
 */
export function startLogging(kind: 'pregon' | 'ws'): (context: Context) => Promise<ConnectSide> {
  return async (context) => {
    const { folder, gatewayArgv: execArgv } = context;
    const { server, port } =
      kind === 'pregon'
        ? await startGateway({ folder, log: newLogUrl(context), exchange: 'bench', execArgv })
        : await ServerProcess.start([...SERVER_FLAGS, WS_LOGGING], folder);
    let before = 0;
    return {
      port,
      cpuMicros: async () => server.cpuMicros,
      opened: async () => {},
      async closed(count) {
        before += count;
        await until(
          () => server.logged('connection closed') === before,
          `${kind}: ${before} log lines of closed connections`,
        );
      },
      end: () => server.end(),
    };
  };
}

/** A server without log lines. */
export function startQuiet(module: string): (context: Context) => Promise<ConnectSide> {
  return async (context) => {
    const child = Child.start(module, module === 'servers/gateway' ? context.gatewayArgv : SERVER_FLAGS);
    const port = numberOf(await child.ask('listen', { log: newLogUrl(context), eventBytes: 200 }), 'port');
    const count = async () => (await child.ask('connections'))['count'];
    return {
      port,
      cpuMicros: () => cpuMicros(child),
      async opened(expected) {
        const open = await count();
        if (open !== expected) throw new Error(`${module}: ${open} of ${expected} connections are open`);
      },
      closed: () => until(async () => (await count()) === 0, `${module}: no open connections`),
      end: () => child.end(),
    };
  };
}

/** @throws Error if the condition does not become true in time */
async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`${what}: not reached within ${PATIENCE_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
