import type { SocketIoClient } from '../../../../test/support/gateway/socketio-client.js';

/** The first argument of all that came under a name, once so many have. */
export async function values(client: SocketIoClient, name: string, count: number): Promise<unknown[]> {
  return (await client.count(name, count)).map(([value]) => value);
}
