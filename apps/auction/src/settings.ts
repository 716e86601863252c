import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Everything that the environment decides; the only file that reads it. */
export interface Settings {
  /** Where both processes listen. */
  readonly host: string;
  readonly port: number;
  readonly gatewayPort: number;
  /** An absolute path; made when it is missing. */
  readonly dataDir: string;
  readonly databaseFile: string;
  /** Where the log is, in the words of `pregon --log`. */
  readonly log: string;
  /** What was set for this run, as it is typed before a command that shall run alike: `PORT=6001 `; empty where nothing was. */
  readonly typed: string;
  /** Started by `npm start` or `npm run …`, so a shell of npm's stands between whoever stops us and this process. */
  readonly startedByNpm: boolean;
}

const NAMES = ['HOST', 'PORT', 'GATEWAY_PORT', 'DATA_DIR', 'PREGON_LOG'] as const;

/** The default data folder is the workspace's own, from whatever folder the application is started. */
const WORKSPACE = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * Reads `HOST` (127.0.0.1), `PORT` (5001), `GATEWAY_PORT` (1234), `DATA_DIR` (`data` in the workspace) and `PREGON_LOG`
 * (`sqlite:<DATA_DIR>/pregon.db`).
 *
 * @throws RangeError where one of them is not usable, in a sentence for whoever set it
 */
export function readSettings(environment: Readonly<Record<string, string | undefined>> = process.env): Settings {
  const given = environment['DATA_DIR'];
  const dataDir = given ? resolve(given) : resolve(WORKSPACE, 'data');
  return {
    host: environment['HOST'] || '127.0.0.1',
    port: readPort(environment, 'PORT', 5001),
    gatewayPort: readPort(environment, 'GATEWAY_PORT', 1234),
    dataDir,
    databaseFile: resolve(dataDir, 'auction.db'),
    log: environment['PREGON_LOG'] || `sqlite:${resolve(dataDir, 'pregon.db')}`,
    typed: NAMES.map((name) => typed(name, environment[name])).join(''),
    startedByNpm: environment['npm_lifecycle_event'] !== undefined,
  };
}

function readPort(environment: Readonly<Record<string, string | undefined>>, name: string, fallback: number): number {
  const text = environment[name];
  if (text === undefined || text === '') return fallback;
  const port = Number(text);
  if (/^\d+$/.test(text) && port > 0 && port <= 65_535) return port;
  throw new RangeError(`${name} must be a port, a number from 1 to 65535; it is ${JSON.stringify(text)}`);
}

function typed(name: string, value: string | undefined): string {
  if (!value) return '';
  return /^[\w./:@-]+$/.test(value) ? `${name}=${value} ` : `${name}='${value.replaceAll("'", "'\\''")}' `;
}
