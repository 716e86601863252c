import { createServer, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { PregonEvent } from '@pregon/protocol';
import { attachGateway, type LogFollower, openLog } from 'pregon';
import { answer } from '../processes/answer.js';
import { type Figures, textOf } from '../processes/messages.js';

/** The longest time before an answer: proxies abort requests that take longer. */
const HOLD_MS = 25_000;

/** Pending long-poll requests, with the number of updates that each client has. */
const waiting = new Map<ServerResponse, { readonly after: number; readonly late: NodeJS.Timeout }>();
const updates: PregonEvent[] = [];

const open = new Set<Socket>();
let requests = 0;
let bytesOfClosed = 0;

/** An application that serves its updates itself, with the gateway attached to the same server. */
const server = createServer((request, response) => {
  requests += 1;
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
  const after = Number(searchParams.get('after'));
  if (pathname === '/poll' || (pathname === '/wait' && after < updates.length)) return tell(response, after);
  if (pathname === '/wait') return wait(response, after);
  response.writeHead(404).end();
});
server.on('upgrade', () => {
  requests += 1;
});
server.on('connection', (socket) => {
  open.add(socket);
  socket.once('close', () => {
    open.delete(socket);
    bytesOfClosed += bytesOf(socket);
  });
});

function tell(response: ServerResponse, after: number): void {
  const body = Buffer.from(JSON.stringify(updates.slice(after)));
  response.writeHead(200, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
  });
  response.end(body);
}

function wait(response: ServerResponse, after: number): void {
  waiting.set(response, { after, late: setTimeout(() => release(response), HOLD_MS) });
  response.once('close', () => forget(response));
}

function release(response: ServerResponse): void {
  const { after } = forget(response) ?? {};
  if (after !== undefined) tell(response, after);
}

function forget(response: ServerResponse): { readonly after: number } | undefined {
  const found = waiting.get(response);
  clearTimeout(found?.late);
  waiting.delete(response);
  return found;
}

const follower: LogFollower = {
  appended({ entries }) {
    for (const { payload } of entries) updates.push(JSON.parse(Buffer.from(payload).toString('utf8')));
    for (const response of [...waiting.keys()]) release(response);
  },
  replaced: fail,
  unavailable: fail,
  available() {},
};

function fail(): never {
  throw new Error('the log cannot be followed');
}

function bytesOf({ bytesRead, bytesWritten }: Socket): number {
  return bytesRead + bytesWritten;
}

answer({
  /** Serves events appended to the log at `log` from now on. */
  async listen(fields): Promise<Figures> {
    const url = textOf(fields, 'log');
    const log = await openLog(url, { exchanges: ['bench'] });
    // Each process uses one way only, so that none includes the cost of another.
    if (textOf(fields, 'way') === 'WebSocket') {
      await attachGateway(server, { log, exchanges: ['bench'], routes: { events: { path: '/events' } } });
    } else {
      log.follow(await log.head(), follower);
    }
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    const address = server.address();
    return { port: typeof address === 'object' && address ? address.port : 0 };
  },

  /** Requests, and socket bytes in both directions, of all clients so far. */
  traffic(): Figures {
    return { requests, bytes: [...open].reduce((sum, socket) => sum + bytesOf(socket), bytesOfClosed) };
  },
});
