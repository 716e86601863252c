import { type Claim, claimBelow, claimPath, isClaimed } from '../transports/http/claim.js';
import { targetPath } from '../transports/http/query.js';
import { socketIoPath } from '../transports/socketio/socketio-path.js';
import type { OnlySocketIoTypes, SocketIoTypes } from '../transports/socketio/socketio-types.js';
import { createGateway } from './create-gateway.js';
import { EarlyRequests } from './entrances/early-requests.js';
import type { Gateway } from './gateway.js';
import type { GatewayOptions } from './options.js';
import type { AttachableServer } from './server/attachable-server.js';

/**
 * Makes a gateway and attaches it to an HTTP server and its port, as what `app.listen(8080)` of Express returns: its routes and, for
 * Socket.IO, `/socket.io/` with the client's script are served there, all other paths stay with the application. It does not matter
 * whether the server listens already: clients of the gateway that come before it is ready wait until it is.
 *
 * The gateway closes by its own `close`, after which the server has its own listeners again and lives on; or with the server: its
 * `close` closes the gateway too, since no server ends while clients are connected to it.
 *
 * @typeParam T the events of {@link Gateway.io}
 * @throws TypeError | RangeError if an option is not valid; TypeError if another gateway on this server has one of the paths
 * @throws PregonError LOG_UNAVAILABLE | CONFIG_INVALID | DRIVER_MISSING | TOPIC_INVALID; the server is then as it was
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

function claimsOf({ routes = {}, socketIo }: GatewayOptions): readonly Claim[] {
  const claims = Object.values(routes).map(({ path }) => claimPath(path));
  return socketIo === false ? claims : [...claims, claimBelow(socketIoPath(socketIo?.path))];
}

/** A server tells of its end only when all its connections have ended, for which they would have to be told first. */
function closeWith(server: AttachableServer, gateway: Pick<Gateway, 'close'>): void {
  const close: unknown = Reflect.get(server, 'close');
  Reflect.set(server, 'close', (...args: unknown[]) => {
    Reflect.set(server, 'close', close);
    void gateway.close();
    return typeof close === 'function' && Reflect.apply(close, server, args);
  });
}
