import type { Connection } from '../core/connections/connection.js';
import type { RouteHandlers } from '../core/routes/handlers.js';
import type { Logger } from './options.js';

/** One line for each thing that happens to a connection. */
export function connectionLog(logger: Logger): RouteHandlers {
  return {
    opened: (connection) => logger.info({ ...who(connection), transport: connection.transport }, 'connection opened'),
    closed: (connection, { code, reason }) =>
      logger.info({ ...who(connection), code, ...(reason === '' ? {} : { reason }) }, 'connection closed'),
    error: (connection, error) => logger.warn({ ...who(connection), err: error }, 'connection error'),
    message: (connection, _data, { name }) => logger.debug({ ...who(connection), name }, 'connection message'),
  };
}

function who(connection: Connection): { connection: string; route: string; remoteAddress: string } {
  return { connection: connection.id, route: connection.route, remoteAddress: connection.remoteAddress };
}
