import type { Logger } from './options.js';

/**
 * A logger that never throws, even if the application's logger does: a failure to log must not end the work that logs.
 */
export function guardLogger(logger: Partial<Logger> | undefined): Logger {
  const guard = (level: keyof Logger) => (fields: object, message: string) => {
    try {
      logger?.[level]?.(fields, message);
    } catch {
      // A failure of the logger itself cannot be logged.
    }
  };
  return { info: guard('info'), warn: guard('warn'), error: guard('error'), debug: guard('debug') };
}
