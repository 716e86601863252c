import { existsSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { PregonError } from '@pregon/protocol';
import type { GatewayLimits, GatewayOptions, RouteOptions } from '../gateway/options.js';
import type { Variables } from './expand.js';
import { ConfigurationError, type ConfigurationPath, startsWith } from './problems.js';
import { type ValidConfiguration, validate } from './validate.js';
import { YamlFile } from './yaml-file.js';

/** A file that the configuration names, and where it does so, for errors that show up when it is loaded. */
export interface FileReference {
  /** Absolute. */
  readonly file: string;
  /** `pregon.yml:9:20 websocket.routes.events.handlers[0]` */
  readonly where: string;
}

export interface RouteConfiguration extends Omit<RouteOptions, 'handlers'> {
  readonly handlerFiles: readonly FileReference[];
}

/** A configuration file, read and found right. File names in it are absolute. */
export interface Configuration {
  /** How to show the file to people; undefined where there is none. */
  readonly file: string | undefined;
  readonly log?: string;
  readonly exchanges?: readonly string[];
  readonly secret?: string;
  /** How many processes serve the port. */
  readonly workers?: number;
  /** Options of the server of Socket.IO, which knows them; false for none. */
  readonly socketIo?: GatewayOptions['socketIo'];
  readonly routes: Readonly<Record<string, RouteConfiguration>>;
  readonly allowedOrigins?: readonly string[];
  readonly limits: GatewayLimits;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly subscriberFiles: readonly FileReference[];
  readonly http?: { readonly port: number; readonly host?: string; readonly token?: string };
  /** `maxAgeMs` in milliseconds, `maxBytes` in bytes. */
  readonly retention?: { readonly maxCount?: number; readonly maxAgeMs?: number; readonly maxBytes?: number };
}

/** The file that is read where none is named. */
export const DEFAULT_CONFIGURATION_FILE = 'pregon.yml';

export interface LoadOptions {
  /** The file, or undefined for `pregon.yml`, which need not exist. */
  readonly file: string | undefined;
  /** The folder that `file` is relative to. */
  readonly cwd: string;
  readonly variables: Variables;
}

/** @throws PregonError CONFIG_INVALID; a {@link ConfigurationError} that lists all mistakes where the file could be read */
export function loadConfiguration(options: LoadOptions): Configuration {
  const path = resolve(options.cwd, options.file ?? DEFAULT_CONFIGURATION_FILE);
  if (options.file === undefined && !existsSync(path)) {
    return { file: undefined, routes: {}, limits: {}, subscriberFiles: [] };
  }
  const name = options.file ?? DEFAULT_CONFIGURATION_FILE;
  const yaml = new YamlFile(name, readText(path, name));
  const unset = yaml.expand(options.variables);
  const result = validate(yaml.toValue(), dirname(path));
  if ('valid' in result && unset.length === 0) return build(result.valid, yaml, { name, path, cwd: options.cwd });
  // What was not expanded is not what the value will be: its one problem is the variable.
  const problems = 'problems' in result ? result.problems : [];
  const others = problems.filter((problem) => !unset.some(({ path: start }) => startsWith(problem.path, start)));
  const lines = [...unset, ...others].map((problem) => ({
    ...problem,
    where: yaml.where(problem.path, problem.ofKey),
  }));
  throw new ConfigurationError(lines.sort(byPlace).map(({ where, message }) => `${where}: ${message}`));
}

function byPlace(a: { where: string }, b: { where: string }): number {
  return a.where.localeCompare(b.where, 'en', { numeric: true });
}

function readText(path: string, name: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const reason =
      cause instanceof Error && 'code' in cause && cause.code === 'ENOENT' ? 'there is no such file' : cause;
    throw new PregonError('CONFIG_INVALID', `cannot read the configuration ${name}: ${reason}`, { cause });
  }
}

function build(
  valid: ValidConfiguration,
  yaml: YamlFile,
  source: { name: string; path: string; cwd: string },
): Configuration {
  const reference = (path: ConfigurationPath) => (file: string, index: number) => ({
    file,
    where: yaml.where([...path, index]),
  });
  const { routes = {}, allowedOrigins, tls, ...limits } = valid.websocket ?? {};
  const { maxAge, ...retention } = valid.retention ?? {};
  return {
    file: source.name,
    log: valid.log === undefined ? undefined : resolveLog(valid.log, source),
    exchanges: valid.exchanges,
    secret: valid.secret,
    workers: valid.workers,
    socketIo: valid.socketIo,
    routes: Object.fromEntries(
      Object.entries(routes).map(([name, { handlers = [], ...route }]) => [
        name,
        { ...route, handlerFiles: handlers.map(reference(['websocket', 'routes', name, 'handlers'])) },
      ]),
    ),
    allowedOrigins,
    limits,
    tls,
    subscriberFiles: (valid.subscribers ?? []).map(reference(['subscribers'])),
    http: valid.http,
    retention: valid.retention && { ...retention, maxAgeMs: maxAge },
  };
}

/** A SQLite file is relative to the configuration, like every file in it; shown relative to where the command runs. */
function resolveLog(log: string, { path, cwd }: { path: string; cwd: string }): string {
  const [, file] = /^sqlite:(?!:)(.+)$/.exec(log) ?? [];
  if (file === undefined) return log;
  const absolute = resolve(dirname(path), file);
  const short = relative(cwd, absolute);
  return `sqlite:${short.startsWith('..') ? absolute : short}`;
}
