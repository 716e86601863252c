import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { PregonError } from '@pregon/protocol';
import { builtInDriver } from '../logs/open.js';
import { splitNamespaces } from './access/namespaces.js';
import {
  type Configuration,
  DEFAULT_CONFIGURATION_FILE,
  isConfigured,
  type LoadOptions,
  NO_CONFIGURATION,
} from './configuration.js';
import { ConfigurationError, type ConfigurationPath, startsWith } from './problems.js';
import { type ValidConfiguration, validate } from './validate.js';
import { YamlFile } from './yaml-file.js';

/** 1 MiB, far more than any configuration needs. */
const MAX_FILE_BYTES = 1_048_576;

/** How many mistakes one error lists at most. */
const MAX_PROBLEMS = 100;

/** @throws PregonError CONFIG_INVALID; a {@link ConfigurationError} with all mistakes if the file could be read */
export function loadConfiguration(options: LoadOptions): Configuration {
  if (!isConfigured(options)) return NO_CONFIGURATION;
  const name = options.file ?? DEFAULT_CONFIGURATION_FILE;
  const path = resolve(options.cwd, name);
  const yaml = new YamlFile(name, readText(path, name));
  const unset = yaml.expand(options.variables);
  const result = validate(yaml.toValue(), dirname(path));
  if ('valid' in result && unset.length === 0) return build(result.valid, yaml, { name, path, cwd: options.cwd });
  // A value with an unset variable is not the final value, so the variable is its only reported problem.
  const problems = 'problems' in result ? result.problems : [];
  const others = problems.filter((problem) => !unset.some(({ path: start }) => startsWith(problem.path, start)));
  const lines = [...unset, ...others].slice(0, MAX_PROBLEMS).map((problem) => ({
    ...problem,
    where: yaml.where(problem.path, problem.ofKey),
  }));
  throw new ConfigurationError(lines.sort(byPlace).map(({ where, message }) => `${where}: ${message}`));
}

function byPlace(a: { where: string }, b: { where: string }): number {
  return a.where.localeCompare(b.where, 'en', { numeric: true });
}

/**
 * Checks the kind of the file before opening it: a pipe without a writer would block for ever, and a device has no end.
 */
function readText(path: string, name: string): string {
  const refuse = (reason: unknown, cause?: unknown) =>
    new PregonError('CONFIG_INVALID', `cannot read the configuration ${name}: ${reason}`, { cause });
  let bytes: Buffer;
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) throw refuse('it is a folder; name the file in it');
    if (!stat.isFile()) throw refuse('it is a pipe or a device; name a file');
    if (stat.size > MAX_FILE_BYTES) throw refuse(`it has ${stat.size} bytes; at most ${MAX_FILE_BYTES} are read`);
    bytes = readFileSync(path);
  } catch (cause) {
    if (cause instanceof PregonError) throw cause;
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    throw refuse(isMissing ? 'there is no such file' : cause, cause);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw refuse('it is not UTF-8', cause);
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
  const { routes = {}, allowedOrigins, allowNullOrigin, tls, ...limits } = valid.websocket ?? {};
  const { maxTokenLifetime, ...tokens } = valid.auth ?? {};
  const { maxAge, ...retention } = valid.retention ?? {};
  return {
    file: source.name,
    log: valid.log === undefined ? undefined : resolveLog(valid.log, source),
    exchanges: valid.exchanges,
    secret: valid.secret,
    snapshotSecretFile: valid.snapshotSecretFile,
    workers: valid.workers,
    access: valid.access,
    auth: valid.auth && { ...tokens, maxTokenLifetimeMs: maxTokenLifetime },
    ...splitNamespaces(valid.socketIo),
    routes: Object.fromEntries(
      Object.entries(routes).map(([name, { handlers = [], ...route }]) => [
        name,
        { ...route, handlerFiles: handlers.map(reference(['websocket', 'routes', name, 'handlers'])) },
      ]),
    ),
    allowedOrigins,
    allowNullOrigin,
    limits,
    tls,
    subscriberFiles: (valid.subscribers ?? []).map(reference(['subscribers'])),
    logDriverFiles: valid.logDrivers?.map(reference(['logDrivers'])),
    http: valid.http,
    retention: valid.retention && { ...retention, maxAgeMs: maxAge },
  };
}

/** A path in the URL of a built-in log is relative to the configuration file, like every path in that file. */
function resolveLog(log: string, { path, cwd }: { path: string; cwd: string }): string {
  return builtInDriver(log)?.resolve?.(log, dirname(path), cwd) ?? log;
}
