import { isEvent, type PregonEvent } from '@pregon/protocol';
import { describe, expect, it } from 'vitest';
import { ISSUER, SECRET, signToken } from '../../../support/access/tokens.js';
import { FramesClient } from '../../../support/gateway/frames-client.js';
import { numberOf, startGateway, type TestGateway } from '../../../support/gateway/gateway.js';
import type { Inbox } from '../../../support/gateway/inbox.js';
import { PlainClient } from '../../../support/gateway/plain-client.js';
import { SocketIoClient, toEvent } from '../../../support/gateway/socketio-client.js';
import { StreamClient } from '../../../support/gateway/stream-client.js';
import { byLength } from '../../../support/long.js';

const COUNT = byLength({ quick: 5_000, check: 20_000, long: 100_000 });

const TOPICS = ['public.1', 'user.ada.1', 'org.7.1', 'org.7.2', 'secret.1', 'org.8.1'];
const topicOf = (n: number) => TOPICS[n % TOPICS.length] ?? '';

/** What a token allows, as the beginnings of topics. */
interface Allowed {
  readonly token: string;
  readonly beginnings: readonly string[];
}

/** The numbers of the events that may be delivered, from `first` to the end. */
function numbersFrom(first: number, { beginnings }: Allowed): number[] {
  const all = Array.from({ length: COUNT - first + 1 }, (_, i) => first + i);
  return all.filter((n) => beginnings.some((beginning) => topicOf(n).startsWith(beginning)));
}

interface Replay {
  /** Resolves once this many events have arrived. */
  reached(count: number): Promise<unknown>;
  /** The events so far. */
  events(): readonly PregonEvent[];
  /** Breaks the connection off. */
  breakOff(): void;
}

type Client = (gateway: TestGateway, token: string, since: string) => Replay;

const headersOf = (token: string) => ({ Authorization: `Bearer ${token}` });

const CLIENTS: Readonly<Record<string, Client>> = {
  'plain WebSocket'({ ws }, token, since) {
    const { events, socket } = new PlainClient(ws(`/events?since=${since}`), { headers: headersOf(token) });
    return { ...of(events), breakOff: () => socket.terminate() };
  },
  'pregon.v1'({ ws }, token, since) {
    const client = new FramesClient(ws('/events'), { headers: headersOf(token) });
    client.socket.once('open', () => client.send({ op: 'subscribe', id: 1, since }));
    return {
      reached: (count) => client.numbers(1, count),
      events: () => client.events(1),
      breakOff: () => client.socket.terminate(),
    };
  },
  'an event stream'({ http }, token, since) {
    const { events, source } = new StreamClient(http(`/events?since=${since}`), headersOf(token));
    return { ...of(events), breakOff: () => source.close() };
  },
  'Socket.IO'({ http }, token, since) {
    const auth = { token, since, names: 'event' };
    const client = new SocketIoClient(http('/events'), { auth, reconnection: false, transports: ['websocket'] });
    return {
      // The first message is `subscribed`.
      reached: (count) => client.received.until(() => client.received.all.length > count, `${count} events`),
      events: () => client.of('event').map(([event]) => toEvent(event)),
      breakOff: () => client.breakOff(),
    };
  },
};

function of(events: Inbox<PregonEvent>): Pick<Replay, 'reached' | 'events'> {
  return { reached: (count) => events.count(count), events: () => events.all };
}

function start(): Promise<TestGateway> {
  return startGateway({
    auth: { issuers: [{ issuer: ISSUER, secret: SECRET }] },
    routes: {
      events: {
        path: '/events',
        allow: [
          { subscribe: 'public.#', who: 'anyone' },
          { subscribe: 'user.{sub}.#' },
          { subscribe: 'org.{org.id}.#', if: { role: 'admin' } },
          { subscribe: '#', if: { role: 'auditor' } },
        ],
      },
    },
  });
}

describe.each(Object.entries(CLIENTS))('[I-9] [I-11] [H-07] A replay by %s', (_, replay) => {
  it.each<[name: string, claims: object, beginnings: string[]]>([
    ['all topics', { role: 'auditor' }, ['']],
    ['its organisation', { role: 'admin', org: { id: 7 } }, ['public.', 'user.ada.', 'org.7.']],
  ])(
    `of ${COUNT} events that loses the right to %s in the middle has all that each token allows, and nothing else`,
    async (_name, claims, beginnings) => {
      const gateway = await start();
      await gateway.append(COUNT, { topic: topicOf });
      const wide: Allowed = { token: await signToken({ sub: 'ada', ...claims }), beginnings };
      const narrow: Allowed = { token: await signToken({ sub: 'ada' }), beginnings: ['public.', 'user.ada.'] };
      const first = replay(gateway, wide.token, 'first');
      await first.reached(numbersFrom(1, wide).length / 2);
      first.breakOff();
      const before = first.events().slice();
      const last = before.at(-1);
      const cut = last ? numberOf(last) : 0;
      expect(cut).toBeGreaterThan(0);
      const second = replay(gateway, narrow.token, last?.position ?? '');
      const expected = numbersFrom(cut + 1, narrow);
      await second.reached(expected.length);
      // An event of each topic, so that an event too many would come before the last one.
      await gateway.append(TOPICS.length, { topic: topicOf });
      await second.reached(expected.length + 2);
      expect(before.map(numberOf)).toEqual(numbersFrom(1, wide).filter((n) => n <= cut));
      expect(second.events().map(numberOf).slice(0, expected.length)).toEqual(expected);
      expect(
        second
          .events()
          .slice(expected.length)
          .map(({ topic }) => topic),
      ).toEqual(TOPICS.map((__, i) => topicOf(COUNT + 1 + i)).filter((topic) => /^(public|user\.ada)\./.test(topic)));
    },
  );
});

it('[I-9] [I-11] [H-05] [H-07] a replay whose token is renewed in the middle has nothing that the new token does not allow', async () => {
  const gateway = await start();
  await gateway.append(COUNT, { topic: topicOf });
  const wide: Allowed = { token: await signToken({ sub: 'ada', role: 'auditor' }), beginnings: [''] };
  const narrow: Allowed = { token: await signToken({ sub: 'ada' }), beginnings: ['public.', 'user.ada.'] };
  const client = await FramesClient.open(gateway.ws('/events'), { headers: headersOf(wide.token) });
  client.send({ op: 'subscribe', id: 1, since: 'first' });
  await client.numbers(1, COUNT / 2);
  client.send({ op: 'auth', token: narrow.token });
  // If events under the former rights wait in the socket, the connection is closed, and the client comes back.
  const renewed = await Promise.race([client.control('authorized'), client.closed]);
  const received = client.frames.all.slice();
  const end = 'op' in renewed ? received.findIndex((frame) => !isEvent(frame) && frame.op === 'authorized') : Infinity;
  const before = received.slice(0, end).filter((frame) => isEvent(frame));
  const cut = numberOf(before.at(-1) ?? failNothing());
  const expected = numbersFrom(cut + 1, narrow);
  const after = async (): Promise<readonly PregonEvent[]> => {
    if ('op' in renewed) {
      await client.numbers(1, before.length + expected.length);
      return client.events(1).slice(before.length);
    }
    const second = await FramesClient.open(gateway.ws('/events'), { headers: headersOf(narrow.token) });
    second.send({ op: 'subscribe', id: 1, since: before.at(-1)?.position ?? '' });
    await second.numbers(1, expected.length);
    return second.events(1);
  };
  expect((await after()).map(numberOf)).toEqual(expected);
  expect(before.map(numberOf)).toEqual(numbersFrom(1, wide).filter((n) => n <= cut));
});

function failNothing(): never {
  throw new Error('no event came before the renewal');
}
