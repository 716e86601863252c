// Loaded into a `pregon run` before all else, with --expose-gc; reports over IPC which objects are alive in it.
import { createRequire } from 'node:module';
import { setImmediate } from 'node:timers/promises';
import { queryObjects } from 'node:v8';

const dist = new URL('../../../packages/server/dist/', import.meta.url);
const { ClientConnection } = await import(new URL('core/connections/client-connection.js', dist));
const { Subscription } = await import(new URL('core/subscriptions/subscription.js', dist));
const { ClientSocket } = await import(new URL('transports/websocket/client-socket.js', dist));
const fromServer = createRequire(dist);
const fromSocketIo = createRequire(fromServer.resolve('socket.io'));

/** The classes that have instances for each connected client. */
const kinds = {
  connections: ClientConnection,
  subscriptions: Subscription,
  webSockets: ClientSocket,
  sockets: fromSocketIo('node:net').Socket,
  requests: fromSocketIo('node:http').IncomingMessage,
  engineClients: fromSocketIo('engine.io').Socket,
  socketIoClients: fromServer('socket.io').Socket,
};

function countAlive() {
  const counts = Object.entries(kinds).map(([name, kind]) => [name, queryObjects(kind, { format: 'count' })]);
  return Object.fromEntries(counts);
}

async function look() {
  // Callbacks that wait for the next turn keep their objects alive.
  for (let round = 0; round < 4; round++) {
    globalThis.gc();
    await setImmediate();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heapBytes: heapUsed + external, rssBytes: rss, alive: countAlive() };
}

const answers = { look, open: () => process.getActiveResourcesInfo().sort() };

process.on('message', async ({ id, name }) => process.send({ id, answer: await answers[name]() }));
