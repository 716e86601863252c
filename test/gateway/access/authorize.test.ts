import type { AuthorizeRequest, GatewayOptions, SnapshotFunction } from 'pregon';
import { describe, expect, it } from 'vitest';
import { ISSUER, SECRET, signToken } from '../../support/access/tokens.js';
import { FramesClient } from '../../support/gateway/frames-client.js';
import { startGateway } from '../../support/gateway/gateway.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { SocketIoClient } from '../../support/gateway/socketio-client.js';
import { StreamClient } from '../../support/gateway/stream-client.js';

type Auth = NonNullable<GatewayOptions['auth']>;

/** Each user may read the documents in the claim `docs`. */
function mayRead({ identity, topics }: AuthorizeRequest): boolean {
  const documents: unknown = identity?.claims?.['docs'];
  return topics.every((topic) => Array.isArray(documents) && documents.includes(topic.split('.')[1]));
}

const snapshot: SnapshotFunction = async () => ({ rows: [{ id: 1, secret: 'of all documents' }], sequence: 0 });

async function start(authorize: Auth['authorize'], options: Partial<GatewayOptions> = {}) {
  const errors: string[] = [];
  const tell = (fields: object, message: string) => {
    const error: unknown = Reflect.get(fields, 'err');
    errors.push(`${message}: ${error instanceof Error ? error.message : ''}`);
  };
  const gateway = await startGateway({
    auth: { issuers: [{ issuer: ISSUER, secret: SECRET }], ...(authorize ? { authorize } : {}) },
    routes: {
      docs: { path: '/docs', allow: [{ subscribe: 'doc.#' }], snapshot },
      open: { path: '/open', access: 'public' },
    },
    logger: { info() {}, warn: tell, error: tell, debug() {} },
    ...options,
  });
  const headers = { Authorization: `Bearer ${await signToken({ docs: ['7', '8'] })}` };
  await gateway.append(2, { topic: (n) => (n === 1 ? 'doc.7.edited' : 'doc.9.edited') });
  return { ...gateway, headers, errors };
}

describe('[I-9] [H-03] With authorize', () => {
  it('a client gets the topics that the application allows, on every transport, and no others', async () => {
    const gateway = await start(mayRead);
    const { headers } = gateway;
    const plain = await PlainClient.open(gateway.ws('/docs?topics=doc.7.%23&since=first'), { headers });
    expect(await plain.numbers(1)).toEqual([1]);
    const stream = await StreamClient.open(gateway.http('/docs?topics=doc.7.%23&since=first'), headers);
    expect(await stream.numbers(1)).toEqual([1]);
    const frames = await FramesClient.open(gateway.ws('/docs'), { headers });
    await frames.subscribe({ id: 1, topics: ['doc.7.#', 'doc.8.#'], since: 'first' });
    expect(await frames.numbers(1, 1)).toEqual([1]);
    const refused = await frames.subscribe({ id: 2, topics: ['doc.7.#', 'doc.9.#'], since: 'first' });
    expect(refused).toMatchObject({ op: 'error', code: 'FORBIDDEN', retryable: false });
    const refusedPlain = new PlainClient(gateway.ws('/docs?topics=doc.9.%23&since=first'), { headers });
    expect(await refusedPlain.whenClosed()).toMatchObject({ code: 4504 });
    expect(refusedPlain.events.all).toEqual([]);
    const refusedStream = new StreamClient(gateway.http('/docs?topics=doc.9.%23&since=first'), headers);
    expect((await refusedStream.block('closing')).data).toMatchObject({ code: 4504 });
    const socketIo = new SocketIoClient(gateway.http('/docs'), { extraHeaders: headers, auth: { topics: [] } });
    await new Promise<void>((resolve) => socketIo.socket.once('connect', resolve));
    expect(await socketIo.socket.emitWithAck('subscribe', { topics: ['doc.9.#'] })).toMatchObject({
      error: { code: 'FORBIDDEN' },
    });
  });

  it('the application is asked about all that the rules allow, if a client asks for everything or a snapshot', async () => {
    const asked: AuthorizeRequest[] = [];
    const gateway = await start((request) => {
      asked.push(request);
      return mayRead(request);
    });
    const frames = await FramesClient.open(gateway.ws('/docs'), { headers: gateway.headers });
    for (const request of [
      { id: 1 },
      { id: 2, topics: ['#'] },
      { id: 3, topics: ['doc.7.#'], snapshot: true },
      { id: 4, topics: ['other'] },
    ]) {
      expect(await frames.subscribe(request)).toMatchObject({ op: 'error', code: 'FORBIDDEN' });
    }
    expect(JSON.stringify(frames.frames.all)).not.toContain('secret');
    expect(asked.map(({ topics }) => topics)).toEqual([['doc.#'], ['doc.#'], ['doc.#']]);
    expect(asked[0]).toMatchObject({ route: 'docs', identity: { sub: 'ada', claims: { docs: ['7', '8'] } } });
    await new PlainClient(gateway.ws('/open')).whenClosed();
    expect(asked.at(-1)).toEqual({ identity: undefined, route: 'open', topics: ['#'] });
  });

  it.each<[string, Auth['authorize']]>([
    [
      'throws',
      () => {
        throw new Error('the secret reason');
      },
    ],
    // A program in JavaScript can return anything.
    ['returns a promise of true', () => JSON.parse('{}') && Promise.resolve(true)],
    ['returns a promise that rejects', () => JSON.parse('{}') && Promise.reject(new Error('rejected'))],
    ['returns 1', () => JSON.parse('1')],
    ['returns nothing', () => JSON.parse('{}').nothing],
  ])('a client is refused if the application %s, and the reason is logged only', async (_case, authorize) => {
    const gateway = await start(authorize);
    const frames = await FramesClient.open(gateway.ws('/docs'), { headers: gateway.headers });
    const error = await frames.subscribe({ id: 1, topics: ['doc.7.#'] });
    expect(error).toMatchObject({ code: 'FORBIDDEN', message: 'the application does not allow these topics' });
    await expect.poll(() => gateway.errors.join()).toMatch(/the secret reason|true or false/);
  });

  it('[H-05] it is asked again when the identity is renewed, also with the same rules', async () => {
    const gateway = await start(mayRead);
    const frames = await FramesClient.open(gateway.ws('/docs'), { headers: gateway.headers });
    await frames.subscribe({ id: 1, topics: ['doc.7.#'] });
    await frames.subscribe({ id: 2, topics: ['doc.8.#'] });
    frames.send({ op: 'auth', token: await signToken({ docs: ['8'] }) });
    expect(await frames.control('error')).toMatchObject({ id: 1, code: 'FORBIDDEN' });
    await gateway.append(3, { topic: (n) => `doc.${n === 5 ? 8 : 7}.edited` });
    expect(await frames.numbers(2, 1)).toEqual([5]);
    expect(frames.events(1)).toEqual([]);
  });

  it('must be a function', async () => {
    const auth = { issuers: [{ issuer: ISSUER, secret: SECRET }] };
    Reflect.set(auth, 'authorize', 'yes');
    await expect(startGateway({ auth })).rejects.toThrow('auth.authorize must be a function');
  });
});
