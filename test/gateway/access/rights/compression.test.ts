import { randomBytes } from 'node:crypto';
import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { ISSUER, SECRET, signToken } from '../../../support/access/tokens.js';
import { untilAtHead } from '../../../support/gateway/frames-client.js';
import { startGateway, type TestGateway } from '../../../support/gateway/gateway.js';
import { PlainClient } from '../../../support/gateway/plain-client.js';

/** A compression context is shared by groups of at least 32 clients. */
const CLIENTS = 40;

/** Text that does not compress by itself to less than half, and is short enough for a window of 4,096 bytes. */
const LENGTH = 1_200;

/** Clients of one user. They decompress with what they were sent, so a reference to anything else would fail. */
async function connect(gateway: TestGateway, sub: string): Promise<readonly PlainClient[]> {
  const options = { headers: { Authorization: `Bearer ${await signToken({ sub })}` }, perMessageDeflate: true };
  return Promise.all(Array.from({ length: CLIENTS }, () => PlainClient.open(gateway.ws('/events'), options)));
}

/** Publishes a text, and returns the bytes that the event takes on the connection of each client. */
async function sizesOf(
  { log }: TestGateway,
  clients: readonly PlainClient[],
  topic: string,
  text: string,
): Promise<number[]> {
  const before = clients.map(bytesOf);
  const counts = clients.map(({ events }) => events.all.length);
  const id = randomBytes(8).toString('hex');
  const event = { specversion: '1.0', id, source: '/test', type: 'TextWasSaid', topic, exchange: 'events' } as const;
  await log.append([{ ...event, data: text }]);
  await Promise.all(clients.map(({ events }, at) => events.count((counts[at] ?? 0) + 1)));
  for (const { events } of clients) expect(events.all.at(-1)).toMatchObject({ topic, data: text });
  return clients.map((client, at) => bytesOf(client) - (before[at] ?? 0));
}

/** The bytes that the connection has received. */
function bytesOf({ socket }: PlainClient): number {
  const raw: unknown = Reflect.get(socket, '_socket');
  if (raw instanceof Socket) return raw.bytesRead;
  throw new Error('a client without a socket');
}

it('[I-9] [H-07] the size of a compressed event tells nothing about events that only other rights allow', async () => {
  const gateway = await startGateway({
    auth: { issuers: [{ issuer: ISSUER, secret: SECRET }] },
    routes: {
      events: {
        path: '/events',
        compression: true,
        allow: [{ subscribe: 'public.#', who: 'anyone' }, { subscribe: 'user.{sub}.#' }],
      },
    },
  });
  await untilAtHead(gateway);
  const [ada, grace] = [await connect(gateway, 'ada'), await connect(gateway, 'grace')];
  const everybody = [...ada, ...grace];
  const secret = randomBytes(LENGTH / 2).toString('hex');
  // All clients get the same events, and then share a context.
  for (let n = 0; n < 3; n++) await sizesOf(gateway, everybody, 'public.1', randomBytes(LENGTH / 2).toString('hex'));
  await sizesOf(gateway, ada, 'user.ada.1', secret);
  // If the text were in a context that ada and grace share, a guess of it would be a few bytes.
  const guessed = await sizesOf(gateway, grace, 'user.grace.1', secret);
  expect(Math.min(...guessed)).toBeGreaterThan(LENGTH / 3);
  // Contexts are in use: grace's own text is a few bytes when it comes again.
  const again = await sizesOf(gateway, grace, 'user.grace.1', secret);
  expect(Math.max(...again)).toBeLessThan(LENGTH / 4);
});
