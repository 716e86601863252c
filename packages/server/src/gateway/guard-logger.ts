import type { Logger } from './options.js';

/** A logger that throws nothing, whatever the application's does: a failure to report must not end what it reports on. */
export function guardLogger(logger: Partial<Logger> | undefined): Logger {
  const guard = (level: keyof Logger) => (fields: object, message: string) => {
    try {
      logger?.[level]?.(fields, message);
    } catch {
      // There is nowhere left to say so.
    }
  };
  return { info: guard('info'), warn: guard('warn'), error: guard('error'), debug: guard('debug') };
}
