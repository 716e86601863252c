import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXCHANGE, HEARTBEAT_MS, ROUTES } from '../names.js';
import { Part } from '../parts/part.js';
import { answers } from '../parts/probe.js';
import { ISSUER, RULES, SECRET_FILE } from '../rights.js';

const PREGON = fileURLToPath(import.meta.resolve('pregon/package.json')).replace(/package\.json$/, 'dist/cli/main.js');

export interface GatewaySettings {
  readonly name: string;
  readonly folder: string;
  readonly port: number;
  readonly log: string;
  /** The port on which the application answers with snapshots. */
  readonly snapshotPort: number;
}

/** `pregon run`, as any operator would start it. */
export function gatewayPart({ name, folder, port, log, snapshotPort }: GatewaySettings): Part {
  const config = join(folder, `${name}.yml`);
  writeFileSync(config, configuration(log, snapshotPort));
  const args = [PREGON, 'run', `127.0.0.1:${port}`, `--exchange=${EXCHANGE}`, `--config=${config}`];
  return new Part({
    name,
    command: () => ({ file: process.execPath, args: [...args, '--drain-ms=2000'] }),
    serves: () => answers(`http://127.0.0.1:${port}${ROUTES.events.path}`, 401),
    logFile: join(folder, `${name}.log`),
  });
}

/** JSON is valid YAML. */
function configuration(log: string, snapshotPort: number): string {
  const routes = Object.entries(ROUTES).map(([name, { path, topics }]) => {
    const snapshot = name === 'events' ? {} : { snapshot: `http://127.0.0.1:${snapshotPort}/snapshots/${name}` };
    return [name, { path, topics, allow: RULES, ...snapshot }];
  });
  // A small history window, so that reconnecting clients also read the log.
  const limits = { heartbeatMs: HEARTBEAT_MS, stallTimeoutMs: 20_000, historyBytes: 1_000_000 };
  // The default of half a minute without a pong is too long for a run of two minutes.
  const socketIo = { pingTimeout: 2 * HEARTBEAT_MS };
  // Relative to this file.
  const auth = { issuers: [{ issuer: ISSUER, secretFile: SECRET_FILE }] };
  return JSON.stringify({ log, auth, socketIo, websocket: { routes: Object.fromEntries(routes), ...limits } });
}
