import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { connect as connectSecurely } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { afterTest } from '../../support/cleanup.js';
import { FramesClient } from '../../support/gateway/frames-client.js';
import { numbers, startGateway } from '../../support/gateway/gateway.js';
import { within } from '../../support/gateway/inbox.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { RawSocket } from '../../support/gateway/raw-socket.js';

const cert = readFileSync(new URL('../../support/tls/cert.pem', import.meta.url));
const key = readFileSync(new URL('../../support/tls/key.pem', import.meta.url), 'utf8');

describe('A gateway with a certificate and a key', () => {
  it('[I-1][I-2] delivers history and live events over wss, even if they exceed the buffer of the socket', async () => {
    const { ws, append } = await startGateway({ listen: { cert, key } });
    await append(2_000, { padding: 1_000 });
    const plain = await PlainClient.open(ws('/events?since=first'), { ca: cert });
    const frames = await FramesClient.open(ws('/events'), { ca: cert });
    await frames.subscribe({ id: 1, since: 'first' });
    plain.socket.pause();
    await append(2_000, { padding: 1_000 });
    expect(await frames.numbers(1, 4_000)).toEqual(numbers(1, 4_000));
    plain.socket.resume();
    expect(await plain.numbers(4_000)).toEqual(numbers(1, 4_000));
  });

  it('delivers event streams over https', async () => {
    const { http, append } = await startGateway({ listen: { cert, key } });
    await append(1_000, { padding: 500 });
    const response = await begin(http('/events?since=first'));
    expect(response.statusCode).toBe(200);
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    await within(
      new Promise<void>((resolve) => response.on('data', () => text.includes('"n":1000,') && resolve())),
      'all',
    );
    expect(text.match(/^data: \{"specversion"/gm)).toHaveLength(1_000);
  });

  it('closes its clients with 4000 and frees the port, as without TLS', async () => {
    const { ws, gateway } = await startGateway({ listen: { cert, key } });
    const client = await PlainClient.open(ws('/events'), { ca: cert });
    await gateway.close({ spreadMs: 0 });
    expect((await client.whenClosed()).code).toBe(4000);
    await expect(PlainClient.open(ws('/events'), { ca: cert })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('[I-8] is not held up by a client whose TLS handshake is late or invalid', async () => {
    const { ws, port, append } = await startGateway({ listen: { cert, key }, handshakeTimeoutMs: 200 });
    const silent = await RawSocket.open(port);
    const wrong = await RawSocket.open(port);
    wrong.request('/events');
    const rude = connectSecurely({ port, host: '127.0.0.1', ca: cert });
    afterTest(() => rude.destroy());
    rude.on('secureConnect', () => rude.destroy());
    await silent.whenEnded(3_000);
    await wrong.whenEnded(3_000);
    const client = await PlainClient.open(ws('/events'), { ca: cert });
    await append(1);
    expect(await client.numbers(1)).toEqual([1]);
  });
});

describe('A gateway with only one of certificate and key', () => {
  it('does not start', async () => {
    await expect(startGateway({ listen: { cert } })).rejects.toThrow(TypeError);
    await expect(startGateway({ listen: { key } })).rejects.toThrow(TypeError);
  });
});

function begin(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = get(url, { ca: cert, headers: { Accept: 'text/event-stream' } }, resolve);
    asked.on('error', reject);
    afterTest(() =>
      asked
        .off('error', reject)
        .on('error', () => {})
        .destroy(),
    );
  });
}
