import { PregonError } from '@pregon/protocol';

/** The keys from the root of the configuration to a value: `['websocket', 'routes', 'events', 'handlers', 0]`. */
export type ConfigurationPath = readonly (string | number)[];

/** One mistake in a configuration. */
export interface Problem {
  readonly path: ConfigurationPath;
  readonly message: string;
  /** The key is wrong, not its value. */
  readonly ofKey?: boolean;
}

/** A configuration that cannot be used; each line says where and what: `pregon.yml:12:13 http.port: must be at most 65535`. */
export class ConfigurationError extends PregonError {
  readonly lines: readonly string[];

  constructor(lines: readonly string[], options?: { cause?: unknown }) {
    super('CONFIG_INVALID', lines.join('\n'), options);
    this.lines = lines;
  }
}

/** As people write it: `websocket.routes.events.handlers[0]`. */
export function showPath(path: ConfigurationPath): string {
  return path.map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? key : `.${key}`)).join('');
}

export function startsWith(path: ConfigurationPath, start: ConfigurationPath): boolean {
  return start.every((key, index) => path[index] === key);
}
