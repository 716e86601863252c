/** Settings from the environment. Only this file of the package reads `process.env`. */
export interface Settings {
  /** `PREGON_LOG`: the URL of the log, if no flag sets one: `sqlite:data/pregon.db`. */
  readonly log: string | undefined;
  /** `PREGON_OUTBOX`: the URL of an outbox, if no flag sets one: `postgres://…`. */
  readonly outbox: string | undefined;
  /** `PREGON_TOKEN`: the token for requests to a gateway's HTTP port, or to a route, if no flag sets one. */
  readonly token: string | undefined;
  /** `PREGON_HTTP_TOKEN`: the token that a gateway's HTTP port requires from publishers, if no flag sets one. */
  readonly httpToken: string | undefined;
  /** `PREGON_ACCESS`: who may connect without a token, if no flag says it: `public`. Not checked yet. */
  readonly access: string | undefined;
  /** `NODE_ENV=production`: a gateway then starts only if something says who may connect. */
  readonly isProduction: boolean;
  /** `DEBUG`: true if its comma-separated list contains `pregon` or `*`. Errors are then shown with their stack. */
  readonly debug: boolean;
  /**
   * `PREGON_WORKER`, set by the primary of `pregon run --workers` for its workers: the number of the worker, and the
   * folder of the sockets that the processes share.
   */
  readonly worker: { readonly number: number; readonly folder: string } | undefined;
  /** The whole environment, for `${NAME}` in a configuration file. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads the environment. An empty variable counts as unset: shells and compose files pass unset variables as empty
 * ones.
 */
export function readSettings(): Settings {
  const variables = process.env;
  const worker = readWorker(variables[WORKER]);
  // A child process of a worker is not a worker itself.
  delete variables[WORKER];
  const debug = (variables['DEBUG'] ?? '').split(',').map((name) => name.trim());
  return {
    log: variables['PREGON_LOG'] || undefined,
    outbox: variables['PREGON_OUTBOX'] || undefined,
    token: variables['PREGON_TOKEN'] || undefined,
    httpToken: variables['PREGON_HTTP_TOKEN'] || undefined,
    access: variables['PREGON_ACCESS'] || undefined,
    isProduction: isProduction(),
    debug: debug.includes('pregon') || debug.includes('*'),
    worker,
    variables,
  };
}

/** Whether `NODE_ENV` is `production`, as for Express and other frameworks. */
export function isProduction(): boolean {
  return process.env['NODE_ENV'] === 'production';
}

const WORKER = 'PREGON_WORKER';

/** Environment variables that a worker gets in addition to those of its primary. */
export function variablesOfWorker(number: number, folder: string): Readonly<Record<string, string>> {
  return { [WORKER]: `${number}:${folder}` };
}

/** Settings that a worker gets in its environment, because every local user can see its arguments. */
export function secretVariables(secrets: { log: string; httpToken: string | undefined }): Record<string, string> {
  const { log, httpToken } = secrets;
  return { PREGON_LOG: log, ...(httpToken === undefined ? {} : { PREGON_HTTP_TOKEN: httpToken }) };
}

function readWorker(text = ''): Settings['worker'] {
  const [, number, folder] = /^(\d+):(.+)$/s.exec(text) ?? [];
  return number === undefined || folder === undefined ? undefined : { number: Number(number), folder };
}
