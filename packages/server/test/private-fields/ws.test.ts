import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { afterTest } from '../../../../test/support/cleanup.js';
import { Inbox } from '../../../../test/support/gateway/inbox.js';
import { clientFrame, OPCODE } from '../../../../test/support/gateway/raw-socket.js';
import {
  limitMessages,
  putBackUnparsed,
  receiverStreamOf,
  replaceInflation,
  socketOf,
} from '../../src/private-fields/ws.js';

/** A WebSocket of `ws` on a server, the socket under it, and its client. */
async function connected() {
  const server = createServer().listen(0, '127.0.0.1');
  afterTest(() => server.close());
  await once(server, 'listening');
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: { threshold: 0 } });
  const accepted = new Promise<{ webSocket: WebSocket; socket: Socket }>((resolve) => {
    server.on('upgrade', (request, socket, head) =>
      sockets.handleUpgrade(request, socket, head, (webSocket) => resolve({ webSocket, socket: request.socket })),
    );
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const client = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: { threshold: 0 } });
  afterTest(() => client.terminate());
  client.on('error', () => {});
  await once(client, 'open');
  const { webSocket, socket } = await accepted;
  webSocket.on('error', () => {});
  return { webSocket, socket, client };
}

describe('the private fields of ws exist:', () => {
  it('the socket', async () => {
    const { webSocket, socket } = await connected();
    expect(socketOf(webSocket)).toBe(socket);
  });

  it('the stream that parses, which ends with the connection', async () => {
    const { webSocket, client } = await connected();
    const receiver = receiverStreamOf(webSocket);
    expect(receiver?.writableEnded).toBe(false);
    client.close(1000);
    await once(webSocket, 'close');
    expect(receiver?.writableEnded).toBe(true);
  });

  it('the limit of messages, which applies at once', async () => {
    const { webSocket, client } = await connected();
    expect(limitMessages(webSocket, 10)).toBe(true);
    client.send('more than ten letters');
    const [code] = await once(client, 'close');
    expect(code).toBe(1009);
  });

  it('the bytes that were read and not parsed, which come back from the socket', async () => {
    const { webSocket, socket, client } = await connected();
    const messages = new Inbox<string>();
    const putBack: boolean[] = [];
    webSocket.on('message', (data) => {
      messages.push(String(data));
      if (putBack.length > 0) return;
      webSocket.pause();
      putBack.push(putBackUnparsed(webSocket));
    });
    const frames = ['one', 'two', 'three'].map((text) => clientFrame(OPCODE.text, Buffer.from(text)));
    const bytes = Buffer.concat(frames);
    // In one piece, as the bytes of a fast client are read.
    socket.emit('data', bytes);
    expect(messages.all).toEqual(['one']);
    expect(putBack).toEqual([true]);
    expect(socket.readableLength).toBe(bytes.length - (frames[0]?.length ?? 0));
    webSocket.resume();
    await messages.count(3);
    expect(messages.all).toEqual(['one', 'two', 'three']);
    client.close();
  });

  it('the extension, which inflates incoming messages', async () => {
    const { webSocket, client } = await connected();
    const inflated = Buffer.from('inflated by another');
    const isReplaced = replaceInflation(webSocket, {
      decompress: (_part, _last, callback) => process.nextTick(callback, null, inflated),
      cleanup() {},
    });
    expect(isReplaced).toBe(true);
    const message = once(webSocket, 'message');
    client.send('compressed by the client');
    expect(String((await message)[0])).toBe('inflated by another');
  });
});

describe('without the private fields of ws, nothing changes for', () => {
  it.each([
    ['an object without fields', {}],
    ['an object with fields of another type', { _socket: {}, _receiver: { _buffers: 'none' }, _extensions: [] }],
  ])('%s', (_, webSocket) => {
    const before = JSON.stringify(webSocket);
    expect(socketOf(webSocket)).toBeUndefined();
    expect(limitMessages(webSocket, 10)).toBe(false);
    expect(putBackUnparsed(webSocket)).toBe(false);
    expect(replaceInflation(webSocket, { decompress() {}, cleanup() {} })).toBe(false);
    expect(JSON.stringify(webSocket)).toBe(before);
  });
});
