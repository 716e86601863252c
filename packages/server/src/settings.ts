/** What the environment says. This is the one file of the package that reads `process.env`. */
export interface Settings {
  /** `PREGON_LOG`: where the log is, where no flag says so: `sqlite:data/pregon.db`. */
  readonly log: string | undefined;
  /** `PREGON_OUTBOX`: the URL of an outbox, if no flag names one: `postgres://…`. */
  readonly outbox: string | undefined;
  /** `PREGON_TOKEN`: what to show to a gateway's HTTP port, where no flag says so. */
  readonly token: string | undefined;
  /** `PREGON_HTTP_TOKEN`: what publishers must show to the HTTP port of a gateway, unless a flag says so. */
  readonly httpToken: string | undefined;
  /** `DEBUG`: true where `pregon` or `*` is in its comma-separated list; errors are then shown with their stack. */
  readonly debug: boolean;
  /**
   * `PREGON_WORKER`, which the primary of `pregon run --workers` sets for those that it starts: which of them a process is, and the folder
   * in which they meet.
   */
  readonly worker: { readonly number: number; readonly folder: string } | undefined;
  /** All of it, for `${NAME}` in a configuration file. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** An empty variable counts as unset, as a shell or a compose file that passes on nothing leaves it. */
export function readSettings(): Settings {
  const variables = process.env;
  const worker = readWorker(variables[WORKER]);
  // What a worker starts is none.
  delete variables[WORKER];
  const debug = (variables['DEBUG'] ?? '').split(',').map((name) => name.trim());
  return {
    log: variables['PREGON_LOG'] || undefined,
    outbox: variables['PREGON_OUTBOX'] || undefined,
    token: variables['PREGON_TOKEN'] || undefined,
    httpToken: variables['PREGON_HTTP_TOKEN'] || undefined,
    debug: debug.includes('pregon') || debug.includes('*'),
    worker,
    variables,
  };
}

const WORKER = 'PREGON_WORKER';

/** The environment of a worker, beside that of its primary. */
export function variablesOfWorker(number: number, folder: string): Readonly<Record<string, string>> {
  return { [WORKER]: `${number}:${folder}` };
}

/** What a worker takes from its environment, as every local user can see its arguments. */
export function secretVariables(secrets: { log: string; httpToken: string | undefined }): Record<string, string> {
  const { log, httpToken } = secrets;
  return { PREGON_LOG: log, ...(httpToken === undefined ? {} : { PREGON_HTTP_TOKEN: httpToken }) };
}

function readWorker(text = ''): Settings['worker'] {
  const [, number, folder] = /^(\d+):(.+)$/s.exec(text) ?? [];
  return number === undefined || folder === undefined ? undefined : { number: Number(number), folder };
}
