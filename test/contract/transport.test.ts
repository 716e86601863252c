import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { assertEvent } from '@pregon/protocol';
import { describe, it } from 'vitest';
import { WebSocket } from 'ws';
import {
  describeTransport,
  type RefusedClient,
  type TransportClient,
  type TransportKind,
} from '../../packages/server/src/testing.js';
import { sse } from '../../packages/server/src/transports/sse/sse-transport.js';
import { websocket } from '../../packages/server/src/transports/websocket/websocket-transport.js';

describeTransport({ describe, it }, { name: 'websocket', transport: websocket, connect: connectWebSocket });
describeTransport({ describe, it }, { name: 'sse', transport: sse, connect: connectStream });

async function connectWebSocket(...[{ url, headers }, observer]: Parameters<TransportKind['connect']>) {
  const socket = new WebSocket(url.replace('http', 'ws'), { headers });
  socket.on('message', (data) => {
    const event: unknown = JSON.parse(data.toString());
    assertEvent(event);
    observer.event(event);
  });
  return new Promise<TransportClient | RefusedClient>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('unexpected-response', (_request, response) => {
      socket.terminate();
      resolve({ status: response.statusCode ?? 0 });
    });
    socket.on('open', () => {
      socket.on('close', () => observer.closed());
      resolve({
        setReading: (reading: boolean) => (reading ? socket.resume() : socket.pause()),
        close: () => socket.terminate(),
      });
    });
  });
}

async function connectStream(...[{ url, headers }, observer]: Parameters<TransportKind['connect']>) {
  const request = get(url, { headers: { ...headers, Accept: 'text/event-stream' } });
  const [response]: IncomingMessage[] = await once(request, 'response');
  if (response?.statusCode !== 200) {
    request.destroy();
    return { status: response?.statusCode ?? 0 };
  }
  // A request that the test destroys ends with an error, as expected.
  response.on('error', () => {});
  response.on('close', () => observer.closed());
  const lines = createInterface({ input: response });
  lines.on('error', () => {});
  lines.on('line', (line) => {
    if (!line.startsWith('data: {"specversion"')) return;
    const event: unknown = JSON.parse(line.slice('data: '.length));
    assertEvent(event);
    observer.event(event);
  });
  return {
    setReading: (reading: boolean) => void (reading ? response.resume() : response.pause()),
    close: () => request.destroy(),
  };
}
