import { readdirSync, readFileSync } from 'node:fs';
import { matchesTopic } from '@pregon/protocol';
import type { EntranceAccess, RouteHandlers, SnapshotRequest } from 'pregon';
import { describe, expect, it } from 'vitest';
import { CREDENTIALS, PARTNER, PARTNER_SECRET } from '../../../support/access/matrix/credentials.js';
import {
  ACCESS,
  answerAt,
  answerOf,
  type Granted,
  MESSAGES,
  RULES,
  TOPICS,
  visible,
} from '../../../support/access/matrix/model.js';
import { type Asked, OTHER_WAYS, type Visit, WAYS, type Way } from '../../../support/access/matrix/visits.js';
import { ISSUER, SECRET } from '../../../support/access/tokens.js';
import { FramesClient } from '../../../support/gateway/frames-client.js';
import { startGateway, type TestGateway } from '../../../support/gateway/gateway.js';
import { byLength } from '../../../support/long.js';
import { eventually } from '../../../support/waiting.js';

const ROUNDS = 3;
const PATIENCE_MS = 20_000;

interface Stage {
  readonly gateway: TestGateway;
  /** After the first round of events. */
  readonly position: string;
}

/** What a client asks for, and what the model expects it to see. */
interface Moment {
  readonly asks: (stage: Stage) => Omit<Asked, 'path' | 'token'>;
  /** Only for transports that can do this. */
  readonly needs?: 'sends' | 'snapshots';
  /** Runs once all clients of the test have come in. */
  readonly afterwards?: (stage: Stage) => Promise<void>;
  readonly sees: (visit: Visit) => unknown;
  readonly expects: (granted: Granted, way: Way) => unknown;
}

/**
 * Each topic occurs once in each round. So an event that a client must not get comes before the last one that it waits
 * for.
 */
const getting = (rounds: number): Pick<Moment, 'sees' | 'expects'> => ({
  sees: (visit) => [visit.subscription, visit.events()],
  expects: (granted) => ['subscribed', visible(Array.from({ length: rounds }, () => TOPICS).flat(), granted)],
});

const subscribing = (topics: string, beginning: string): Moment => ({
  asks: () => ({ topics }),
  sees: ({ subscription }) => subscription,
  expects: ({ topics: allowed }) => (allowed.some((one) => beginning.startsWith(one)) ? 'subscribed' : 'FORBIDDEN'),
});

const MOMENTS: Readonly<Record<string, Moment>> = {
  connects: { asks: () => ({}), sees: ({ subscription }) => subscription, expects: () => 'subscribed' },
  'subscribes to the topics of ada': subscribing('user.ada.#', 'user.ada.'),
  'subscribes to the topics of all users': subscribing('user.#', 'user'),
  'is at the head': { asks: () => ({}), afterwards: ({ gateway }) => appendRounds(gateway), ...getting(ROUNDS) },
  'resumes at a position': { asks: ({ position: since }) => ({ since }), ...getting(ROUNDS - 1) },
  'replays the log': { asks: () => ({ since: 'first' }), ...getting(ROUNDS) },
  'takes a snapshot': {
    asks: () => ({ snapshot: true }),
    needs: 'snapshots',
    sees: (visit) => [visit.subscription, visit.rows()],
    expects(granted, { snapshots }) {
      if (granted.topics.length > 0) return ['subscribed', visible(TOPICS, granted)];
      return snapshots === 'FORBIDDEN' ? [snapshots, []] : snapshots;
    },
  },
  'sends messages': {
    asks: () => ({}),
    needs: 'sends',
    sees: async ({ send }) => [await send?.('bid'), await send?.('kick')],
    expects: ({ send }) => MESSAGES.map((name) => (send.includes(name) ? `${name} taken` : 'FORBIDDEN')),
  },
};

const TESTS = Object.entries(WAYS).flatMap(([name, way]) =>
  Object.entries(MOMENTS)
    .filter(([, { needs }]) => needs === undefined || way[needs])
    .map(([moment, asked]) => [name, moment, way, asked] as const),
);

/** Of the pairs, every third or each one. A test connects one client for each pair. */
const STEP = byLength({ quick: 3, check: 1, long: 1 });

/** Pairs of a rule and a credential, each with the answer of the model. */
const PAIRS = Object.entries(RULES)
  .flatMap(([route, rule]) =>
    Object.entries(CREDENTIALS).map(([name, credential]) => ({
      cell: `${route}: ${name}`,
      path: `/${route}`,
      token: credential.token,
      answer: answerOf(credential, rule),
    })),
  )
  .filter((_, at) => at % STEP === 0);

/** The same for the entrances that are not routes. */
const OTHER_PAIRS = ACCESS.flatMap((access) =>
  Object.entries(CREDENTIALS).map(([name, credential]) => ({
    cell: `${access}: ${name}`,
    path: `/${access}`,
    token: credential.token,
    answer: answerAt(credential, access),
  })),
);

describe(`[I-9] [H-07] In ${TESTS.length * PAIRS.length} cells of transport × rule and token × moment`, () => {
  it.each(TESTS)('a client by %s that %s gets what its rule grants, and nothing else', async (_, __, way, moment) => {
    const stage = await start();
    const asks = moment.asks(stage);
    const visits = await Promise.all(
      PAIRS.map(({ path, token }) => way.visit(stage.gateway, { path, token, ...asks })),
    );
    await moment.afterwards?.(stage);
    const expected = await table(PAIRS, (_pair, { answer }) =>
      typeof answer === 'string' ? way.told[answer] : moment.expects(answer, way),
    );
    const seen = () =>
      table(PAIRS, (at) => {
        const visit = visits[at];
        return visit && ('refused' in visit ? visit.refused : moment.sees(visit));
      });
    // Messages are sent once; everything else can be looked at again.
    if (moment.needs === 'sends') return expect(await seen()).toEqual(expected);
    await eventually(seen, (now) => JSON.stringify(now) === JSON.stringify(expected), PATIENCE_MS).catch(() => {});
    expect(await seen()).toEqual(expected);
  });
});

const OTHERS = Object.entries(OTHER_WAYS);

describe(`[I-9] [H-07] In ${OTHERS.length * OTHER_PAIRS.length} cells of entrance × access and token`, () => {
  it.each(OTHERS)('a client is admitted to %s as its access says', async (_, way) => {
    const { gateway } = await start();
    const visits = await Promise.all(OTHER_PAIRS.map(({ path, token }) => way.visit(gateway, { path, token })));
    const expected = await table(OTHER_PAIRS, (_pair, { answer }) =>
      answer === 'admitted' ? answer : way.told[answer],
    );
    expect(await table(OTHER_PAIRS, (at) => visits[at])).toEqual(expected);
  });
});

const SOURCES = new URL('../../../../packages/server/src/', import.meta.url);

/** Where each class that takes requests from outside, or each kind of entrance that admissions are asked for, is tested. */
const TESTED_BY: Readonly<Record<string, string>> = {
  RouteEntrance: 'WAYS',
  OwnPathEntrance: 'WAYS: Socket.IO, which has a path of its own',
  LazySocketIo: 'WAYS and OTHER_WAYS',
  ComponentEntrance: 'OTHER_WAYS',
  TicketEntrance: 'WAYS: with a ticket',
  SharedEntrance: 'workers.test.ts: it passes requests on to the entrances of another process',
  HttpPort: 'packages/server/test/cli/http.test.ts',
  'kind route': 'WAYS',
  'kind socket.io': 'WAYS: its sessions',
  'kind namespace': 'OTHER_WAYS',
  'kind component': 'OTHER_WAYS',
  'kind http': 'packages/server/test/cli/http.test.ts',
  'transport component': 'OTHER_WAYS',
  'transport socketio': 'WAYS and OTHER_WAYS',
  'transport sse': 'WAYS',
  'transport websocket': 'WAYS',
};

/** Folders beside the transports that they share. */
const NO_TRANSPORTS = ['http', 'sockets'];

it('[I-9] each entrance and transport of the source code is in this matrix: add a new one here, with its rule', () => {
  const found = new Set<string>();
  for (const name of readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts') || name.startsWith('testing')) continue;
    const source = readFileSync(new URL(name, SOURCES), 'utf8');
    for (const [, entrance] of source.matchAll(/class (\w+)(?:<.*>)? implements (?:\w+, )*(?:Transport)?Entrance\b/g))
      found.add(`${entrance}`);
    for (const [, kind] of source.matchAll(/\{ kind: '([\w.]+)', name\b/g)) found.add(`kind ${kind}`);
    // A server listens by itself.
    for (const [, server] of source.matchAll(/class (\w+Port) /g)) found.add(`${server}`);
  }
  const folders = readdirSync(new URL('transports/', SOURCES), { withFileTypes: true });
  for (const folder of folders) {
    if (folder.isDirectory() && !NO_TRANSPORTS.includes(folder.name)) found.add(`transport ${folder.name}`);
  }
  expect([...found].sort()).toEqual(Object.keys(TESTED_BY).sort());
});

/** A row for each cell, so that a failure names the cell. */
async function table<Pair extends { readonly cell: string }>(
  pairs: readonly Pair[],
  look: (at: number, pair: Pair) => unknown,
): Promise<Record<string, unknown>> {
  const rows = pairs.map(async (pair, at) => [pair.cell, await look(at, pair)] as const);
  return Object.fromEntries(await Promise.all(rows));
}

const handlers: RouteHandlers = {
  messages: Object.fromEntries(MESSAGES.map((name) => [name, () => `${name} taken`])),
};

/** The rows of a table with one row for each topic. */
function read({ topics }: SnapshotRequest): { rows: { topic: string }[]; sequence: number } {
  const allowed = TOPICS.filter((topic) => topics.some((pattern) => matchesTopic(pattern, topic)));
  return { rows: allowed.map((topic) => ({ topic })), sequence: 0 };
}

async function start(): Promise<Stage> {
  const open = ACCESS.filter((access): access is EntranceAccess => access !== 'closed');
  const gateway = await startGateway({
    auth: {
      issuers: [
        { issuer: ISSUER, secret: SECRET },
        { issuer: PARTNER, secret: PARTNER_SECRET },
      ],
    },
    namespaces: Object.fromEntries(open.map((access) => [`/${access}`, access])),
    routes: Object.fromEntries(
      Object.entries(RULES).map(([name, { options }]) => [
        name,
        { path: `/${name}`, ...options, handlers: [handlers], snapshot: { per: 'rights', read } },
      ]),
    ),
  });
  for (const access of ACCESS) {
    const component = { onOpen() {}, onMessage() {}, onClose() {}, onError() {} };
    gateway.gateway.mount(`/component/${access}`, component, access === 'closed' ? {} : { access });
    gateway.gateway.io.of(`/${access}`);
  }
  await appendRounds(gateway);
  const client = await FramesClient.open(gateway.ws('/public'));
  await client.subscribe({ id: 1, since: 'first' });
  await client.frames.until(() => client.events(1).length === ROUNDS * TOPICS.length, 'all events');
  return { gateway, position: client.events(1)[TOPICS.length - 1]?.position ?? '' };
}

async function appendRounds({ append }: TestGateway): Promise<void> {
  await append(ROUNDS * TOPICS.length, { topic: (n) => TOPICS[(n - 1) % TOPICS.length] ?? '' });
}
