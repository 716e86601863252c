import type { SocketIoClient } from '../../../../test/support/gateway/socketio-client.js';

/** The first arguments of all messages of this name, once there are `count` of them. */
export async function values(client: SocketIoClient, name: string, count: number): Promise<unknown[]> {
  return (await client.count(name, count)).map(([value]) => value);
}
