import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hidePassword, withoutGuest } from './addresses.js';

/** All settings from the environment. Only this file reads it. */
export interface Settings {
  /** The host that both processes listen on. */
  readonly host: string;
  readonly port: number;
  readonly gatewayPort: number;
  /** An absolute path. The folder is created if it is missing. */
  readonly dataDir: string;
  /** A PostgreSQL database; if undefined, {@link databaseFile} is used. */
  readonly databaseUrl: string | undefined;
  readonly databaseFile: string;
  /** The URL of the log, as for `pregon --log`. */
  readonly log: string;
  /** The exchange that the application publishes to and the gateway reads. */
  readonly exchange: string;
  /** The database and the log in use, without passwords. */
  readonly uses: { readonly database: string; readonly log: string };
  /**
   * The settings of this run in shell syntax, to be put before a command that runs with the same settings: `PORT=6001
   * `. Empty if nothing was set. Passwords are left out.
   */
  readonly typed: string;
  /** Whether npm started this process (`npm start`, `npm run …`), so that a shell of npm receives the signals first. */
  readonly startedByNpm: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

const NAMES = ['HOST', 'PORT', 'GATEWAY_PORT', 'DATA_DIR', 'DATABASE_URL', 'PREGON_LOG', 'EXCHANGE'] as const;

/** The default data folder is in the workspace, wherever the application is started from. */
const WORKSPACE = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * Reads `HOST` (127.0.0.1), `PORT` (5001), `GATEWAY_PORT` (1234), `DATA_DIR` (`data` in the workspace), `DATABASE_URL`
 * (`postgres://…`; without it `<DATA_DIR>/users.db`), `PREGON_LOG` (`sqlite:<DATA_DIR>/pregon.db`) and `EXCHANGE`
 * (`my_events`).
 *
 * @throws RangeError if one of them is invalid
 */
export function readSettings(environment: Environment = process.env): Settings {
  const given = environment['DATA_DIR'];
  const dataDir = given ? resolve(given) : resolve(WORKSPACE, 'data');
  const databaseUrl = readDatabaseUrl(environment);
  const databaseFile = resolve(dataDir, 'users.db');
  const log = environment['PREGON_LOG'] || `sqlite:${resolve(dataDir, 'pregon.db')}`;
  return {
    host: environment['HOST'] || '127.0.0.1',
    port: readPort(environment, 'PORT', 5001),
    gatewayPort: readPort(environment, 'GATEWAY_PORT', 1234),
    dataDir,
    databaseUrl,
    databaseFile,
    log,
    exchange: readExchange(environment),
    uses: { database: hidePassword(databaseUrl ?? `sqlite:${databaseFile}`), log: hidePassword(log) },
    typed: NAMES.map((name) => typed(name, environment[name])).join(''),
    startedByNpm: environment['npm_lifecycle_event'] !== undefined,
  };
}

function readPort(environment: Environment, name: string, fallback: number): number {
  const text = environment[name];
  if (text === undefined || text === '') return fallback;
  const port = Number(text);
  if (/^\d+$/.test(text) && port > 0 && port <= 65_535) return port;
  throw new RangeError(`${name} must be a port, a number from 1 to 65535; it is ${JSON.stringify(text)}`);
}

function readDatabaseUrl(environment: Environment): string | undefined {
  const text = environment['DATABASE_URL'];
  if (!text) return undefined;
  if (URL.canParse(text) && /^postgres(ql)?:\/\//i.test(text)) return text;
  // Do not show the value, because it may contain a password.
  throw new RangeError(
    'DATABASE_URL must be postgres://USER:PASSWORD@HOST:PORT/DATABASE, with special characters of a password percent-encoded; without it, a SQLite file is used',
  );
}

function readExchange(environment: Environment): string {
  const exchange = environment['EXCHANGE'] || 'my_events';
  if (/^[\w.-]{1,127}$/.test(exchange)) return exchange;
  throw new RangeError(`EXCHANGE must be 1 to 127 letters, digits, ".", "_" or "-"; it is ${JSON.stringify(exchange)}`);
}

/** A setting in shell syntax, to be put before a command. */
function typed(name: string, value: string | undefined): string {
  if (!value) return '';
  const shown = withoutGuest(value);
  // A setting with a password becomes a reference to the variable. The shell reports an error if it is not set there.
  if (hidePassword(shown) !== shown) return `${name}="\${${name}:?set it as for npm start}" `;
  return /^[\w./:@-]+$/.test(shown) ? `${name}=${shown} ` : `${name}='${shown.replaceAll("'", "'\\''")}' `;
}
