import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';

/** The faults that a proxy adds to a gateway. Connections are counted from 1, in the order of arrival. */
export interface Faults {
  /**
   * The frames to send in place of a frame.
   * @default the frame itself
   */
  readonly frame?: (frame: { readonly text: string; readonly connection: number }) => string[];
  /**
   * The path and query for the gateway.
   * @default those of the client
   */
  readonly path?: (asked: string) => string;
  /**
   * The status that refuses a handshake, or undefined to admit it.
   * @default all are admitted
   */
  readonly refuse?: (connection: number) => number | undefined;
}

export interface FaultyProxy {
  /** `ws://127.0.0.1:<port>` */
  readonly url: string;
  close(): Promise<void>;
}

/** Starts a proxy in front of a gateway, whose URL has no path. */
export async function startFaultyProxy(gateway: string, faults: Faults): Promise<FaultyProxy> {
  const { frame = ({ text }) => [text], path = (asked) => asked, refuse = () => undefined } = faults;
  let connections = 0;
  const upstreams = new WeakMap<IncomingMessage, WebSocket>();
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    // The proxy admits a client only when its own connection to the gateway is open, so the client misses nothing.
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
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on a port');
  return {
    url: `ws://127.0.0.1:${address.port}`,
    async close() {
      for (const client of server.clients) client.terminate();
      server.close();
      await once(server, 'close');
    },
  };
}
