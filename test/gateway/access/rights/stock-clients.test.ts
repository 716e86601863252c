import { EventSource } from 'eventsource';
import type { GatewayOptions } from 'pregon';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { requestTicket } from '../../../support/access/tickets.js';
import { ISSUER, SECRET, signToken } from '../../../support/access/tokens.js';
import { afterTest } from '../../../support/cleanup.js';
import { startGateway, type TestGateway } from '../../../support/gateway/gateway.js';
import { SocketIoClient, toEvent, WAYS } from '../../../support/gateway/socketio-client.js';
import { describeWithPython, PythonClient } from '../../../support/socketio/python-client.js';

const PAGE = 'https://shop.example';

function start(auth: Partial<GatewayOptions['auth']> = {}): Promise<TestGateway> {
  return startGateway({
    auth: { issuers: [{ issuer: ISSUER, secret: SECRET }], ...auth },
    allowedOrigins: [PAGE],
    routes: { events: { path: '/events', allow: [{ subscribe: 'user.{sub}.#' }] } },
  });
}

/** One event of ada, and one of somebody else. */
async function append({ append: add }: TestGateway): Promise<void> {
  await add(2, { topic: (n) => (n % 2 === 1 ? 'user.grace.1' : 'user.ada.1') });
}

describe('[I-9] [H-07] The stock client of Socket.IO', () => {
  it.each(WAYS)(
    'comes back by %s with a fresh token when its token expires, and misses nothing',
    async (_, transports) => {
      const gateway = await start({ leewayMs: 0 });
      let tokens = 0;
      const auth = (send: (data: object) => void) => {
        tokens += 1;
        const expiresInS = tokens === 1 ? 3 : 3_600;
        signToken({ sub: 'ada' }, { expiresInS }).then((token) => send({ token, names: 'event' }));
      };
      const client = await SocketIoClient.open(gateway.http('/events'), { transports: [...transports], auth });
      await append(gateway);
      await client.count('event', 1);
      const left = new Promise((resolve) => client.socket.once('disconnect', resolve));
      await left;
      await append(gateway);
      await client.connected(2);
      await append(gateway);
      const events = (await client.count('event', 3)).map(([event]) => toEvent(event));
      expect(events.map(({ topic, id }) => [topic, id])).toEqual([2, 4, 6].map((n) => ['user.ada.1', `events-${n}`]));
      expect(client.recovered).toEqual([false, true]);
    },
  );
});

describeWithPython('[I-9] [H-07] python3-socketio', () => {
  it.each([['websocket'], ['polling']])('shows its token in auth by %s, and gets its own topics', async (transport) => {
    const gateway = await start();
    const token = await signToken({ sub: 'ada' });
    const client = await PythonClient.open(gateway.http(''), '/events', {
      topics: 'user.ada.#',
      transports: [transport],
      token,
    });
    await append(gateway);
    await append(gateway);
    await client.says('event', 2);
    expect(client.numbers()).toEqual([2, 4]);
  });
});

describe('[I-9] [H-07] A stock EventSource', () => {
  it('sends the cookie of its page, and gets its own topics', async () => {
    const gateway = await start({ cookie: '__Host-session' });
    const token = await signToken({ sub: 'ada' });
    const topics = topicsOf(gateway.http('/events?since=first'), { Cookie: `__Host-session=${token}`, Origin: PAGE });
    await append(gateway);
    await expect.poll(topics).toEqual(['user.ada.1']);
  });

  it('uses a ticket in its URL, and gets its own topics', async () => {
    const gateway = await start();
    const response = await requestTicket(gateway.http('/events'), { token: await signToken({ sub: 'ada' }) });
    const { ticket } = Object(await response.json());
    const topics = topicsOf(gateway.http(`/events?since=first&ticket=${ticket}`), { Origin: PAGE });
    await append(gateway);
    await expect.poll(topics).toEqual(['user.ada.1']);
  });
});

function topicsOf(url: string, headers: Record<string, string>): () => string[] {
  const topics: string[] = [];
  const source = new EventSource(url, {
    fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, ...headers } }),
  });
  afterTest(() => source.close());
  source.onmessage = ({ data }) => topics.push(toEvent(JSON.parse(data)).topic);
  return () => topics;
}

describe('[I-9] [H-07] A bare WebSocket', () => {
  it('of a program has its token in a header', async () => {
    const gateway = await start();
    const headers = { Authorization: `Bearer ${await signToken({ sub: 'ada' })}` };
    const texts = listen(new WebSocket(gateway.ws('/events?since=first'), { headers }));
    await append(gateway);
    await expect.poll(texts).toEqual([expect.stringContaining('"topic":"user.ada.1"')]);
  });

  it.each<[name: string, headers: boolean]>([
    ['a header', true],
    ['the packet that enters the namespace', false],
  ])('speaks Socket.IO packet by packet, as Postman does, with its token in %s', async (_, inHeader) => {
    const gateway = await start();
    const token = await signToken({ sub: 'ada' });
    const headers = inHeader ? { Authorization: `Bearer ${token}` } : {};
    const socket = new WebSocket(gateway.ws('/socket.io/?EIO=4&transport=websocket'), { headers });
    const texts = listen(socket);
    await expect.poll(() => texts()[0]).toMatch(/^0\{"sid":/);
    socket.send(inHeader ? '40/events,' : `40/events,${JSON.stringify({ token })}`);
    await expect.poll(() => texts()[1]).toMatch(/^40\/events,\{"sid":/);
    await append(gateway);
    const named = () => texts().filter((text) => text.startsWith('42/events,["event"'));
    await expect.poll(named).toEqual([expect.stringContaining('"topic":"user.ada.1"')]);
  });

  it('that speaks Socket.IO without a token is told why it may not enter', async () => {
    const gateway = await start();
    const socket = new WebSocket(gateway.ws('/socket.io/?EIO=4&transport=websocket'));
    const texts = listen(socket);
    await expect.poll(() => texts()[0]).toMatch(/^0\{"sid":/);
    socket.send('40/events,');
    await expect.poll(() => texts()[1]).toMatch(/^44\/events,\{.*"status":401/);
  });
});

function listen(socket: WebSocket): () => readonly string[] {
  afterTest(() => socket.terminate());
  const texts: string[] = [];
  socket.on('message', (data) => texts.push(data.toString()));
  socket.on('error', () => {});
  return () => texts;
}
