import type { Server } from 'node:http';
import { socketIoPath } from '../transports/socketio/socketio-path.js';
import type { SocketIoTypes } from '../transports/socketio/socketio-types.js';
import { createGateway } from './create-gateway.js';
import { EarlyRequests } from './early-requests.js';
import type { Gateway } from './gateway.js';
import type { GatewayOptions } from './options.js';

/**
 * Makes a gateway and attaches it to an HTTP server and its port, as what `app.listen(8080)` of Express returns: its routes and, for
 * Socket.IO, `/socket.io/` with the client's script are served there, all other paths stay with the application. It does not matter
 * whether the server listens already: clients of the gateway that come before it is ready wait until it is.
 *
 * The gateway closes by its own `close`, after which the server has its own listeners again and lives on; or with the server: its
 * `close` closes the gateway too, since no server ends while clients are connected to it.
 *
 * @typeParam T the events of {@link Gateway.io}
 * @throws TypeError | RangeError where an option is not one
 * @throws PregonError LOG_UNAVAILABLE | CONFIG_INVALID | TOPIC_INVALID; the server is then as it was
 */
export async function attachGateway<T extends SocketIoTypes = SocketIoTypes>(
  server: Server,
  options: GatewayOptions,
): Promise<Gateway<T>> {
  const early = new EarlyRequests(server, pathsOf(options));
  try {
    const gateway = await createGateway<T>(options);
    const handOn = early.release();
    gateway.attach(server);
    closeWith(server, gateway);
    handOn();
    return gateway;
  } catch (error) {
    early.release()();
    throw error;
  }
}

function pathsOf({ routes, socketIo }: GatewayOptions): (path: string) => boolean {
  const paths = new Set(Object.values(routes).map(({ path }) => path));
  const script = socketIo === false ? undefined : socketIoPath(socketIo?.path);
  return (path) => paths.has(path) || path === script || (script !== undefined && path.startsWith(`${script}/`));
}

/** A server tells of its end only when all its connections have ended, for which they would have to be told first. */
function closeWith(server: Server, gateway: Pick<Gateway, 'close'>): void {
  const close = server.close;
  server.close = (callback) => {
    server.close = close;
    void gateway.close();
    return server.close(callback);
  };
}
