import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { afterTest } from '../../support/cleanup.js';
import { startGateway } from '../../support/gateway/gateway.js';
import { Inbox, within } from '../../support/gateway/inbox.js';
import { PollingClient } from '../../support/socketio/engine-client.js';
import { eventually } from '../../support/waiting.js';

const SECOND_MS = 1_000;

/** Begins a request whose body the test sends by hand. */
async function begin(port: number, path: string, bytes: number): Promise<{ socket: Socket; answer: () => string }> {
  const socket = connect(port, '127.0.0.1');
  afterTest(() => socket.destroy());
  let answer = '';
  socket.on('data', (data) => {
    answer += data;
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${bytes}\r\n\r\n`);
  return { socket, answer: () => answer };
}

async function startPolling(limits: { handshakeTimeoutMs: number; stallTimeoutMs?: number }) {
  const { port, http, gateway } = await startGateway(limits);
  const photos = new Inbox<string>();
  gateway.io.on('connection', (socket) => socket.on('photo', (photo) => photos.push(String(photo))));
  const client = await PollingClient.open(new URL(http('/')).origin);
  await client.say('40');
  await client.packets();
  const path = `/socket.io/?EIO=4&transport=polling&sid=${client.opened.sid}`;
  return { port, client, path, photos };
}

describe('[fault D3] An upload by long polling', () => {
  it('may take longer than a handshake', async () => {
    const { port, client, path, photos } = await startPolling({ handshakeTimeoutMs: 200 });
    const body = `42["photo","${'x'.repeat(600_000)}"]`;
    const { socket, answer } = await begin(port, path, body.length);
    // The server looks for late requests once a second, so the upload has to last for two of these checks.
    const parts = 5;
    const size = Math.ceil(body.length / parts);
    for (let at = 0; at < body.length; at += size) {
      await new Promise((resolve) => setTimeout(resolve, SECOND_MS / 2));
      socket.write(body.slice(at, at + size));
    }
    const [photo] = await photos.count(1);
    expect(photo).toHaveLength(600_000);
    expect(await eventually(answer, (text) => text !== '')).toMatch(/^HTTP\/1.1 200/);
    await client.say('42["photo","and the session lives on"]');
    await photos.count(2);
  });

  it('that never ends is cut off, and its session ends with it', async () => {
    const { port, client, path } = await startPolling({ handshakeTimeoutMs: 200, stallTimeoutMs: 500 });
    const { socket, answer } = await begin(port, path, 1_000);
    const drip = setInterval(() => socket.write('x'), 50);
    afterTest(() => clearInterval(drip));
    await within(once(socket, 'close'), 'the end of the upload');
    expect(answer()).toMatch(/^HTTP\/1.1 408/);
    expect((await client.poll()).status).toBe(400);
  });

  it.each(['/events', '/nothing', '/socket.io/?EIO=4&transport=polling', '/socket.io/?EIO=4&transport=polling&sid=x'])(
    'to %s, which does not read it, ends with the answer',
    async (path) => {
      const { port } = await startGateway({ handshakeTimeoutMs: 60_000, stallTimeoutMs: 60_000 });
      const { socket, answer } = await begin(port, path, 1_000_000);
      socket.write('x');
      await within(once(socket, 'close'), 'the end of the connection');
      expect(answer()).toMatch(/^HTTP\/1.1 4\d\d/);
    },
  );
});
