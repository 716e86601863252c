import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { decodeClientFrame, encodeFrame, type GatewayFrame, type PregonEvent } from '@pregon/protocol';
import { build } from 'esbuild';
import { afterEach, describe, expect, it } from 'vitest';
import { type WebSocket as Peer, WebSocket, WebSocketServer } from 'ws';
import { type Client, type ClientEvents, createClient } from '../../src/client.js';
import type { WebSocketConstructor } from '../../src/connection/web-socket.js';
import { event } from '../support/harness.js';

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A minimal gateway: a log of events in memory, and one subscription for each connection. */
async function serve(log: readonly PregonEvent[], port = 0) {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port,
    handleProtocols: (offered) => [...offered][0] ?? false,
  });
  await once(server, 'listening');
  const peers = new Set<Peer>();
  server.on('connection', (peer) => {
    peers.add(peer);
    const send = (frame: GatewayFrame | PregonEvent) =>
      peer.send('op' in frame ? encodeFrame(frame) : JSON.stringify(frame));
    send({ op: 'welcome', connection: 'c', heartbeatMs: 25_000 });
    peer.on('message', (data) => {
      const frame = decodeClientFrame(String(data));
      if (frame.op === 'ping') send({ op: 'pong' });
      if (frame.op === 'send' && frame.id !== undefined) send({ op: 'ack', id: frame.id, data: frame.data });
      if (frame.op !== 'subscribe') return;
      const since = Number(frame.since?.slice(2) ?? 0);
      send({ op: 'subscribed', id: frame.id, position: `p-${since}`, recovered: since > 0 });
      for (const entry of log.slice(since)) send(entry);
    });
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const stop = async () => {
    for (const peer of peers) peer.terminate();
    const closed = new Promise((resolve) => server.close(resolve));
    await closed;
  };
  cleanups.push(stop);
  return { url: `ws://127.0.0.1:${address.port}/events`, port: address.port, stop, peers };
}

function connect(url: string, Constructor: WebSocketConstructor = WebSocket): Client {
  const client = createClient({ url, WebSocket: Constructor, reconnect: { minDelayMs: 5, maxDelayMs: 50 } });
  cleanups.push(() => client.close());
  return client;
}

function next(client: Client, state: ClientEvents['state']['state']): Promise<ClientEvents['state']> {
  return new Promise((resolve) => {
    const stop = client.on('state', (change) => {
      if (change.state !== state) return;
      stop();
      resolve(change);
    });
  });
}

const CONSTRUCTORS: [string, WebSocketConstructor | undefined][] = [
  ['the ws package', WebSocket],
  ['the platform', globalThis.WebSocket],
];

describe.each(CONSTRUCTORS.filter(([, Constructor]) => Constructor !== undefined))(
  'the WebSocket of %s',
  (_, Constructor) => {
    it('[I-1][I-2][I-3] resumes after an outage of the gateway: every event once, in order', async () => {
      const log: PregonEvent[] = [event(1), event(2)];
      const first = await serve(log);
      const client = connect(first.url, Constructor);
      const seen: string[] = [];
      const heard = new Map<string, () => void>();
      const until = (id: string) => new Promise<void>((resolve) => heard.set(id, resolve));
      client.subscribe({
        since: 'first',
        onEvent: ({ id }) => {
          seen.push(id);
          heard.get(id)?.();
        },
      });
      await until('e-2');
      expect(await client.send('echo', { text: 'á' })).toEqual({ text: 'á' });
      const waiting = next(client, 'waiting');
      await first.stop();
      expect((await waiting).retryAt).toBeGreaterThan(0);
      log.push(event(3), event(4));
      const all = until('e-4');
      await serve(log, first.port);
      await all;
      expect(seen).toEqual(['e-1', 'e-2', 'e-3', 'e-4']);
      expect(client.state).toBe('online');
    });

    it('is closed cleanly by close() at any moment of the handshake', async () => {
      const { url, peers } = await serve([]);
      connect(url, Constructor).close();
      const soon = connect(url, Constructor);
      await Promise.resolve();
      await Promise.resolve();
      soon.close();
      const online = connect(url, Constructor);
      await next(online, 'online');
      const [peer] = [...peers].slice(-1);
      const closed = peer === undefined ? undefined : once(peer, 'close');
      online.close();
      expect((await closed)?.[0]).toBe(1000);
    });

    it('waits and tries again if no server listens', async () => {
      const { url, stop } = await serve([]);
      await stop();
      const client = connect(url, Constructor);
      await next(client, 'waiting');
      await next(client, 'waiting');
      expect(client.retryAt).toBeGreaterThan(0);
    });
  },
);

describe('the bundle for browsers', () => {
  it('is at most 10.7 KB when compressed, including the protocol', async () => {
    const { outputFiles } = await build({
      stdin: { contents: "export { createClient } from './src/index.ts'", resolveDir: `${import.meta.dirname}/../..` },
      bundle: true,
      minify: true,
      write: false,
      format: 'esm',
      platform: 'browser',
    });
    const [file] = outputFiles;
    // Of the protocol, only what a client uses is in the bundle.
    expect(file?.text).not.toContain('a topic word');
    const bytes = gzipSync(file?.contents ?? '').length;
    expect(bytes).toBeGreaterThan(1_000);
    expect(bytes).toBeLessThanOrEqual(10_700);
  });
});
