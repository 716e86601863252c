import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';

/** How a proxy spoils what stands behind it. Connections are counted from 1, in the order in which they come. */
export interface Faults {
  /** What to send instead of a frame. @default the frame */
  readonly frame?: (frame: { readonly text: string; readonly connection: number }) => string[];
  /** The path and query to ask the gateway for. @default what the client asked for */
  readonly path?: (asked: string) => string;
  /** The status to answer a handshake with; undefined lets it in. @default all are let in */
  readonly refuse?: (connection: number) => number | undefined;
}

export interface FaultyProxy {
  /** `ws://127.0.0.1:<port>` */
  readonly url: string;
  close(): Promise<void>;
}

/** Stands before a gateway, whose URL has no path. */
export async function startFaultyProxy(gateway: string, faults: Faults): Promise<FaultyProxy> {
  const { frame = ({ text }) => [text], path = (asked) => asked, refuse = () => undefined } = faults;
  let connections = 0;
  const upstreams = new WeakMap<IncomingMessage, WebSocket>();
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    // Whoever is let in is connected to the gateway already: what happens from then on is for him.
    verifyClient({ req }, answer) {
      const status = refuse(++connections);
      if (status !== undefined) return answer(false, status);
      const upstream = new WebSocket(gateway + path(req.url ?? ''));
      upstreams.set(req, upstream);
      upstream.on('open', () => answer(true));
      upstream.on('error', () => answer(false, 502));
    },
  });
  await once(server, 'listening');
  let accepted = 0;
  server.on('connection', (client, request) => {
    const connection = ++accepted;
    const upstream = upstreams.get(request);
    upstream?.on('message', (data) => {
      for (const text of frame({ text: String(data), connection })) client.send(text);
    });
    upstream?.on('close', () => client.close());
    client.on('close', () => upstream?.terminate());
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return {
    url: `ws://127.0.0.1:${address.port}`,
    async close() {
      for (const client of server.clients) client.terminate();
      server.close();
      await once(server, 'close');
    },
  };
}
