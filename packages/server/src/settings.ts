/** What the environment says. This is the one file of the package that reads `process.env`. */
export interface Settings {
  /** `PREGON_LOG`: where the log is, where no flag says so: `sqlite:data/pregon.db`. */
  readonly log: string | undefined;
  /** `DEBUG`: true where `pregon` or `*` is in its comma-separated list; errors are then shown with their stack. */
  readonly debug: boolean;
  /** All of it, for `${NAME}` in a configuration file. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** An empty variable counts as unset, as a shell or a compose file that passes on nothing leaves it. */
export function readSettings(): Settings {
  const variables = process.env;
  const debug = (variables['DEBUG'] ?? '').split(',').map((name) => name.trim());
  return {
    log: variables['PREGON_LOG'] || undefined,
    debug: debug.includes('pregon') || debug.includes('*'),
    variables,
  };
}
