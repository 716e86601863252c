import type { Connection } from '../core/connections/connection.js';
import type { RouteObserver } from '../core/routes/route-observer.js';
import type { Clock } from '../core/time/clock.js';
import type { Logger } from './options.js';

/** One line for each connection, when it has closed; at level debug, also when it opens and for each message. */
export function connectionLog(logger: Logger, clock: Clock): RouteObserver {
  return {
    opened: (connection) => logger.debug(who(connection), 'connection opened'),
    closed({ id, route, transport, remoteAddress, link, openedAt }, { code, reason }) {
      const fields = {
        connection: id,
        route,
        transport,
        remoteAddress,
        code,
        reason: reason === '' ? undefined : reason,
        openMs: Math.round(clock.now() - openedAt),
        bytes: link.takenBytes,
      };
      logger.info(fields, 'connection closed');
    },
    error: (connection, error) => logger.warn({ ...who(connection), err: error }, 'connection error'),
    message: (connection, name) => logger.debug({ ...who(connection), name }, 'connection message'),
  };
}

function who({ id, route, transport, remoteAddress }: Connection): {
  connection: string;
  route: string;
  transport: string;
  remoteAddress: string;
} {
  return { connection: id, route, transport, remoteAddress };
}
