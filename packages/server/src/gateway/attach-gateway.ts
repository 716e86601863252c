import { type Claim, claimBelow, claimPath, isClaimed } from '../transports/http/claim.js';
import { targetPath } from '../transports/http/query.js';
import { socketIoPath } from '../transports/socketio/socketio-path.js';
import type { OnlySocketIoTypes, SocketIoTypes } from '../transports/socketio/socketio-types.js';
import { createGateway } from './create-gateway.js';
import { EarlyRequests } from './entrances/early-requests.js';
import type { Gateway } from './gateway.js';
import type { GatewayOptions } from './options.js';
import type { AttachableServer } from './server/attachable-server.js';
import { ticketPath } from './tickets/ticket-path.js';

/**
 * Creates a gateway and attaches it to an existing HTTP server, such as the one that `app.listen(8080)` of Express
 * returns. The server's port then serves the routes and, for Socket.IO, `/socket.io/` with the client script. All other
 * paths stay with the application. The server may already be listening: clients that come before the gateway is ready
 * wait until it is.
 *
 * `gateway.close()` closes the gateway and gives the server its own listeners back; the server keeps running.
 * `server.close()` also closes the gateway, because a server does not end while clients are connected to it.
 *
 * @typeParam T the events of {@link Gateway.io}
 * @throws TypeError | RangeError if an option is not valid; TypeError if another gateway on this server has one of the
 *   paths
 * @throws PregonError LOG_UNAVAILABLE | CONFIG_INVALID | DRIVER_MISSING | TOPIC_INVALID; the server is then unchanged
 * @example
 * const server = app.listen(8080);
 * const routes = { events: { path: '/events' } };
 * const gateway = await attachGateway(server, { log: 'sqlite:data/pregon.db', routes });
 */
export async function attachGateway<T extends OnlySocketIoTypes<T> = SocketIoTypes>(
  server: AttachableServer,
  options: GatewayOptions,
): Promise<Gateway<T>> {
  const claims = claimsOf(options);
  const early = new EarlyRequests(server, claims, (target) => {
    const path = targetPath(target);
    return claims.some((claim) => isClaimed(claim, path));
  });
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

function claimsOf({ routes = {}, socketIo, auth }: GatewayOptions): readonly Claim[] {
  const paths = Object.values(routes).map(({ path }) => path);
  const claims = (auth ? [...paths, ...paths.map(ticketPath)] : paths).map(claimPath);
  return socketIo === false ? claims : [...claims, claimBelow(socketIoPath(socketIo?.path))];
}

/**
 * A server emits `close` only after all its connections have ended, and the clients of the gateway end only when the
 * gateway closes. So `close` itself is wrapped.
 */
function closeWith(server: AttachableServer, gateway: Pick<Gateway, 'close'>): void {
  const close: unknown = Reflect.get(server, 'close');
  Reflect.set(server, 'close', (...args: unknown[]) => {
    Reflect.set(server, 'close', close);
    void gateway.close();
    return typeof close === 'function' && Reflect.apply(close, server, args);
  });
}
