import type { Connection } from '../core/connections/connection.js';
import type { Observer } from '../core/ports/observer.js';

/** The logger of the log lines; a pino logger has this shape. */
interface LineLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  debug(fields: object, message: string): void;
}

/**
 * Logs a line for each closed connection, and for each change of the log's state. At level debug, also for each opened
 * connection and each message.
 */
export function logLines(logger: LineLogger): Observer {
  return {
    opened: (connection) => logger.debug(who(connection), 'connection opened'),
    closed(connection, { code, reason, openMs, bytes }) {
      const fields = { code, reason: reason === '' ? undefined : reason, openMs: Math.round(openMs), bytes };
      logger.info({ ...who(connection), ...fields }, 'connection closed');
    },
    failed: (connection, error) => logger.warn({ ...who(connection), err: error }, 'connection error'),
    received: (connection, name) => logger.debug({ ...who(connection), name }, 'connection message'),
    logChanged(change) {
      switch (change.state) {
        case 'unavailable':
          return logger.error({ err: change.error }, 'the log cannot be read; trying again');
        case 'replaced':
          return logger.warn({}, 'the log was replaced by another one; all subscriptions get a reset');
        case 'available':
          return logger.info({}, 'the log can be read again');
      }
    },
  };
}

function who({ id, route, transport, remoteAddress }: Connection): object {
  return { connection: id, route, transport, remoteAddress };
}
