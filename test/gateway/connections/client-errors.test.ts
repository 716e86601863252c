import { createServer, type IncomingMessage } from 'node:http';
import { PregonError } from '@pregon/protocol';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FramesClient } from '../../support/gateway/frames-client.js';
import { startGateway } from '../../support/gateway/gateway.js';
import { StreamClient } from '../../support/gateway/stream-client.js';

const SECRETS = /hidden|s3cret|127\.0\.0\.1|private|ECONN/;

/** Starts an application whose snapshot URL is `http://me:s3cret%40@…/private?key=hidden`. */
async function startApplication(answer: () => { status: number; body: string }) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    const { status, body } = answer();
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return { requests, url: `http://me:s3cret%40@127.0.0.1:${port}/private?key=hidden` };
}

describe('A client', () => {
  it('[fault B2] gets a fixed text if a snapshot cannot be read, on every transport; the log has the reason without secrets', async () => {
    const answers = [
      { status: 500, body: 'no' },
      { status: 200, body: '{"hidden":1}' },
      { status: 200, body: 'hidden, not JSON' },
    ];
    const { url } = await startApplication(() => answers[0] ?? { status: 500, body: '' });
    const logged: string[] = [];
    const log = (fields: object, message: string) => {
      const error: unknown = Reflect.get(fields, 'err');
      if (error instanceof Error) logged.push(`${message}: ${error.message}`);
    };
    const logger = { info: log, warn: log, error: log, debug: log };
    const { ws, http } = await startGateway({ routes: { events: { path: '/events', snapshot: url } }, logger });
    const client = await FramesClient.open(ws('/events'));
    for (let id = 1; answers.length > 0; id++, answers.shift()) {
      const told = await client.subscribe({ id, snapshot: true });
      expect(told).toEqual({
        op: 'error',
        id,
        code: 'SNAPSHOT_UNAVAILABLE',
        message: 'the snapshot cannot be read now',
        retryable: true,
      });
      const stream = new StreamClient(http('/events?snapshot=true'));
      await stream.block('closing');
      stream.source.close();
      expect(JSON.stringify(stream.blocks.all)).not.toMatch(SECRETS);
    }
    expect(logged.join('\n')).toMatch(/http:\/\/127\.0\.0\.1:\d+\/private answered 500/);
    expect(logged.join('\n')).not.toMatch(/s3cret|key=hidden/);
  });

  it('[fault B2] gets a snapshot whose URL has a user and password, which the gateway sends as Authorization', async () => {
    const app = await startApplication(() => ({ status: 200, body: '{"rows":[1],"sequence":0}' }));
    const { ws } = await startGateway({ routes: { events: { path: '/events', snapshot: app.url } } });
    const client = await FramesClient.open(ws('/events'));
    expect(await client.subscribe({ id: 1, snapshot: true })).toMatchObject({ op: 'subscribed' });
    expect(app.requests.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ['/private?key=hidden', `Basic ${Buffer.from('me:s3cret@').toString('base64')}`],
    ]);
  });

  it('[fault B2] gets the words of a handler that refuses, but only a fixed text for any other failure', async () => {
    const messages = {
      refused: () => {
        throw new PregonError('FORBIDDEN', 'the auction is over');
      },
      broken: () => {
        throw new Error('password s3cret');
      },
      unavailable: () => {
        throw new PregonError('LOG_UNAVAILABLE', 'the log is not available: /private/log.db');
      },
      unknown: () => {
        throw new PregonError('ROUTE_UNKNOWN', 'the routes are: hidden');
      },
    };
    const { ws } = await startGateway({ routes: { events: { path: '/events', handlers: [{ messages }] } } });
    const client = await FramesClient.open(ws('/events'));
    for (const [index, name] of Object.keys(messages).entries()) {
      client.send({ op: 'send', id: index + 10, name, data: null });
      await client.frames.until(() => client.controls('error').length === index + 1, `an answer to ${name}`);
    }
    expect(client.controls('error')).toEqual([
      { op: 'error', id: 10, code: 'FORBIDDEN', message: 'the auction is over', retryable: false },
      { op: 'error', id: 11, code: 'HANDLER_FAILED', message: 'the handler failed', retryable: false },
      {
        op: 'error',
        id: 12,
        code: 'LOG_UNAVAILABLE',
        message: 'the log cannot be read or written now',
        retryable: true,
      },
      { op: 'error', id: 13, code: 'ROUTE_UNKNOWN', message: 'there is no such route', retryable: false },
    ]);
  });

  it('[fault A5] is still served if the logger throws', async () => {
    const fail = () => {
      throw new Error('the disk is full');
    };
    const logger = { info: fail, warn: fail, error: fail, debug: fail };
    const { ws } = await startGateway({ logger });
    const client = await FramesClient.open(ws('/events'));
    expect(await client.subscribe({ id: 1 })).toMatchObject({ op: 'subscribed' });
  });
});
