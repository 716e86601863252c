import { PregonError } from '@pregon/protocol';

/** The keys from the root of the configuration to a value: `['websocket', 'routes', 'events', 'handlers', 0]`. */
export type ConfigurationPath = readonly (string | number)[];

/** A mistake in a configuration. */
export interface Problem {
  readonly path: ConfigurationPath;
  readonly message: string;
  /** Whether the key is wrong, not its value. */
  readonly ofKey?: boolean;
}

/**
 * A configuration that cannot be used. Each line gives place and mistake:
 * `pregon.yml:12:13 http.port: must be at most 65535`.
 */
export class ConfigurationError extends PregonError {
  readonly lines: readonly string[];

  constructor(lines: readonly string[], options?: { cause?: unknown }) {
    super('CONFIG_INVALID', lines.join('\n'), options);
    this.lines = lines;
  }
}

/** The path as text: `websocket.routes.events.handlers[0]`. */
export function showPath(path: ConfigurationPath): string {
  return path.map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? key : `.${key}`)).join('');
}

export function startsWith(path: ConfigurationPath, start: ConfigurationPath): boolean {
  return start.every((key, index) => path[index] === key);
}
