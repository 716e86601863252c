import type { Facts } from '../../workers/messages.js';
import type { ProcessLogger } from '../logging/loggers.js';
import { readVersion } from '../version.js';
import { accessOf } from './access-line.js';
import { baseUrl } from './listen-address.js';
import type { RunPlan } from './run-plan.js';

/** What a gateway prints about itself when it has started. */
export interface Banner {
  readonly host: string;
  readonly port: number;
  /** The base URL for clients on this host: `ws://localhost:1234`. */
  readonly url: string;
  readonly routes: readonly { readonly name: string; readonly path: string }[];
  readonly exchanges: readonly string[];
  readonly log: string;
  /** Who may connect: `this machine only`, or `tokens of shop; closed: teams`. */
  readonly access: string;
  /** The configuration file; undefined if there is none. */
  readonly configuration: string | undefined;
  /** The URL of health, readiness and publishing; undefined if the HTTP port is off. */
  readonly http: string | undefined;
  /** How many processes serve clients; undefined if it is only this process. */
  readonly workers: number | undefined;
}

export function bannerOf({ address, tls, gateway, configuration, access, workers }: RunPlan, facts: Facts): Banner {
  const { host } = address;
  const { port, log, http } = facts;
  return {
    host,
    port,
    url: baseUrl(tls.cert === undefined ? 'ws' : 'wss', { host, port }),
    routes: Object.entries(gateway.routes).map(([name, { path }]) => ({ name, path })),
    exchanges: gateway.exchanges,
    log,
    access: accessOf({ ...access, auth: configuration.auth, routes: gateway.routes }),
    configuration: configuration.file,
    http,
    workers: workers === 1 ? undefined : workers,
  };
}

/** With the JSON log format, standard output holds nothing but JSON: the banner is then its first line. */
export function sayBanner(banner: Banner, format: string, logger: ProcessLogger): void {
  if (format === 'json') logger.info({ ...banner, version: readVersion() }, 'listening');
  else logger.print(showBanner(banner));
}

function showBanner({ host, port, url, routes, exchanges, log, access, configuration, http, workers }: Banner): string {
  const width = Math.max(...routes.map(({ name }) => name.length));
  const [first, ...others] = routes.map(({ name, path }) => `${name.padEnd(width)}  ${url}${path}`);
  const rows = [
    `pregon ${readVersion()} listens on ${host.includes(':') ? `[${host}]` : host}:${port} (pid ${process.pid})`,
    `  routes     ${first}`,
    ...others.map((route) => `             ${route}`),
    `  exchanges  ${exchanges.join(', ')}`,
    `  log        ${log}`,
    `  access     ${access}`,
    `  config     ${configuration ?? 'none'}`,
  ];
  if (workers !== undefined) rows.push(`  workers    ${workers}`);
  if (http !== undefined) rows.push(`  http       ${http}`);
  return rows.join('\n');
}
