import { describe, expect, it } from 'vitest';
import type { Identity } from '../../../src/core/ports/admission.js';
import type { SnapshotScope } from '../../../src/core/snapshots/route-snapshots.js';
import type { IdentitySnapshotRequest, Snapshot } from '../../../src/core/snapshots/snapshot.js';
import { Gate } from '../support/controlled-log.js';
import { FakeLink } from '../support/fake-link.js';
import { rights } from '../support/rights.js';
import { type Client, type ClientAccess, event, Square } from '../support/square.js';

interface Stage {
  readonly square: Square;
  /** What each read was told. */
  readonly asked: IdentitySnapshotRequest[];
  /** Holds up the reads. */
  gate: Gate | undefined;
}

interface Options {
  readonly per?: SnapshotScope;
  /** The most bytes of held snapshots. */
  readonly bytes?: number;
  readonly rowBytes?: number;
}

async function open({ per = 'rights', bytes = 67_108_864, rowBytes = 1 }: Options = {}): Promise<Stage> {
  const asked: IdentitySnapshotRequest[] = [];
  const read = async (request: IdentitySnapshotRequest): Promise<Snapshot> => {
    asked.push(request);
    await stage.gate?.pass();
    return { rows: [{ of: request.topics, padding: 'x'.repeat(rowBytes) }, {}], sequence: 0 };
  };
  const route = { snapshot: read, snapshotPer: per, snapshotLimits: { bytes, ms: 60_000 } };
  const stage: Stage = { square: await Square.open({ route }), asked, gate: undefined };
  return stage;
}

function subscribe({ square }: Stage, access: ClientAccess, link = new FakeLink()): Client {
  const client = square.connect(link, access);
  client.connection.subscribe(1, undefined, undefined, { snapshot: true });
  return client;
}

function userTopics(n: number): ClientAccess {
  return { rights: rights([`user.${n}.#`]) };
}

/** The patterns of which the client got rows; undefined without rows. */
function rowsOf({ link }: Client): unknown {
  const first = link.received.find((received) => received.op === 'snapshot');
  return first?.op === 'snapshot' ? Reflect.get(Object(first.rows[0]), 'of') : undefined;
}

function codesOf({ link }: Client): unknown[] {
  return link.received.flatMap((received) => (received.op === 'error' ? [received.code] : []));
}

const ADA: Identity = { iss: 'shop', sub: 'ada', claims: { role: 'admin' } };

describe('[I-9] [H-07] a snapshot per rights', () => {
  it('is told the allowed patterns, and nothing of the identity or of what the client asked for', async () => {
    const stage = await open();
    const client = stage.square.connect(new FakeLink(), { rights: rights(['public.#', 'user.1.#']), identity: ADA });
    client.connection.subscribe(1, ['user.1.created'], undefined, { snapshot: true });
    subscribe(stage, {});
    await stage.square.clock.settle();
    expect(stage.asked).toEqual([
      { topics: ['public.#', 'user.1.#'], identity: undefined },
      { topics: ['#'], identity: undefined },
    ]);
  });

  it('is read once for a hundred clients with equal rights, and again for each other rights', async () => {
    const stage = await open();
    stage.gate = new Gate();
    const clients = Array.from({ length: 100 }, (_, n) => subscribe(stage, userTopics(n % 2)));
    await stage.square.clock.settle();
    stage.gate.open();
    await stage.square.clock.settle();
    expect(stage.asked).toHaveLength(2);
    expect(clients.map(rowsOf)).toEqual(clients.map((_, n) => [`user.${n % 2}.#`]));
  });

  it('is not shared by the key of the rights, which an admission of the application may choose badly', async () => {
    const stage = await open();
    const clients = ['ada', 'grace'].map((sub) =>
      subscribe(stage, { rights: rights([`user.${sub}.#`], { key: 'same' }) }),
    );
    await stage.square.clock.settle();
    expect(clients.map(rowsOf)).toEqual([['user.ada.#'], ['user.grace.#']]);
  });

  it('is not given under rights without any topic: an empty list could be taken for no limit', async () => {
    const stage = await open();
    const send = { rights: rights([], { send: 'any' }) };
    expect(() => subscribe(stage, send)).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }));
    expect(stage.asked).toEqual([]);
  });

  it('in a storm is shared only by clients with equal rights', async () => {
    const stage = await open();
    stage.gate = new Gate();
    for (let n = 0; n < 20; n++) subscribe(stage, userTopics(1));
    await stage.square.clock.settle();
    stage.gate.open();
    await stage.square.clock.settle();
    const [same, other] = [subscribe(stage, userTopics(1)), subscribe(stage, userTopics(2))];
    await stage.square.clock.settle();
    expect(stage.asked).toHaveLength(2);
    expect([rowsOf(same), rowsOf(other)]).toEqual([['user.1.#'], ['user.2.#']]);
  });
});

describe('[I-9] [H-07] a snapshot per identity', () => {
  it('is told the identity, and shared by equal ones only: issuer, subject, claims and rights', async () => {
    const stage = await open({ per: 'identity' });
    stage.gate = new Gate();
    const same = rights(['public.#']);
    const identities: Identity[] = [
      ADA,
      {
        ...ADA,
        jti: 't-2',
        expiresAtMs: 1,
        issuedAtMs: 0,
        claims: { role: 'admin', iat: 1, exp: 2, nbf: 1, jti: 't-2' },
      },
      { ...ADA, iss: 'other' },
      { ...ADA, sub: 'grace' },
      { ...ADA, claims: { role: 'guest' } },
    ];
    for (const identity of identities) subscribe(stage, { rights: same, identity });
    subscribe(stage, { rights: rights(['public.1']), identity: ADA });
    subscribe(stage, { rights: same });
    await stage.square.clock.settle();
    expect(stage.asked).toEqual([
      { topics: ['public.#'], identity: { iss: 'shop', sub: 'ada', claims: { role: 'admin' } } },
      { topics: ['public.#'], identity: { iss: 'other', sub: 'ada', claims: { role: 'admin' } } },
      { topics: ['public.#'], identity: { iss: 'shop', sub: 'grace', claims: { role: 'admin' } } },
      { topics: ['public.#'], identity: { iss: 'shop', sub: 'ada', claims: { role: 'guest' } } },
      { topics: ['public.1'], identity: { iss: 'shop', sub: 'ada', claims: { role: 'admin' } } },
      { topics: ['public.#'], identity: undefined },
    ]);
  });

  it('is unavailable if the claims, which an application chose, are not JSON; other clients are not affected', async () => {
    const stage = await open({ per: 'identity' });
    const broken = subscribe(stage, { identity: { ...ADA, claims: { id: 1n } } });
    const other = subscribe(stage, { identity: ADA });
    await stage.square.clock.settle();
    expect([codesOf(broken), rowsOf(other)]).toEqual([['SNAPSHOT_UNAVAILABLE'], ['#']]);
  });
});

describe('[I-7] [H-07] snapshots of many rights', () => {
  it('are read eight at once; the others wait for their turn', async () => {
    const stage = await open();
    stage.gate = new Gate();
    const clients = Array.from({ length: 20 }, (_, n) => subscribe(stage, userTopics(n)));
    await stage.square.clock.settle();
    expect(stage.asked).toHaveLength(8);
    stage.gate.letOne();
    await stage.square.clock.settle();
    expect(stage.asked).toHaveLength(9);
    stage.gate.open();
    await stage.square.clock.settle();
    expect(clients.map(rowsOf)).toEqual(clients.map((_, n) => [`user.${n}.#`]));
  });

  it('are unavailable if their turn does not come in time, and available afterwards', async () => {
    const stage = await open();
    stage.gate = new Gate();
    const clients = Array.from({ length: 12 }, (_, n) => subscribe(stage, userTopics(n)));
    await stage.square.clock.settle();
    stage.square.clock.advance(10_000);
    await stage.square.clock.settle();
    expect(clients.map(codesOf)).toEqual(clients.map((_, n) => (n < 8 ? [] : ['SNAPSHOT_UNAVAILABLE'])));
    stage.gate.open();
    await stage.square.clock.settle();
    const again = subscribe(stage, userTopics(11));
    await stage.square.clock.settle();
    expect(rowsOf(again)).toEqual(['user.11.#']);
    expect(stage.asked).toHaveLength(9);
  });

  it('wait in a queue of limited length', async () => {
    const stage = await open();
    stage.gate = new Gate();
    const clients = Array.from({ length: 1_010 }, (_, n) => subscribe(stage, userTopics(n)));
    await stage.square.clock.settle();
    expect(clients.filter((client) => codesOf(client).length > 0)).toHaveLength(2);
  });

  it('are not read for clients that have left while they waited', async () => {
    const stage = await open();
    stage.gate = new Gate();
    const clients = Array.from({ length: 10 }, (_, n) => subscribe(stage, userTopics(n)));
    await stage.square.clock.settle();
    clients[8]?.connection.closed(1006, '', 0);
    stage.gate.open();
    await stage.square.clock.settle();
    expect(stage.asked.map(({ topics }) => topics[0])).not.toContain('user.8.#');
    expect(rowsOf(clients[9] ?? subscribe(stage, {}))).toEqual(['user.9.#']);
  });

  it('take a limited amount of memory together, if clients do not take them: the slowest starts over', async () => {
    const stage = await open({ bytes: 4 * 110_000, rowBytes: 100_000 });
    const slow = async (n: number) => {
      const link = new FakeLink();
      link.limit = 1_000;
      const client = subscribe(stage, userTopics(n), link);
      await stage.square.clock.settle();
      return client;
    };
    const held = [await slow(0), await slow(1), await slow(2), await slow(3)];
    const refused = await slow(4);
    expect([stage.asked.length, codesOf(refused)]).toEqual([4, ['SNAPSHOT_UNAVAILABLE']]);
    stage.square.clock.advance(5_001);
    const later = await slow(5);
    // The slowest one last: it needs memory again.
    for (const client of [later, ...held.toReversed()]) await stage.square.drain(client);
    const resets = held.map(({ link }) => link.received.filter(({ op }) => op === 'reset').length);
    expect(resets).toEqual([1, 0, 0, 0]);
    expect(rowsOf(later)).toEqual(['user.5.#']);
  });
});

it('[I-9] a reset is answered with the rows of the own rights', async () => {
  const stage = await open();
  const [ada, grace] = [subscribe(stage, userTopics(1)), subscribe(stage, userTopics(2))];
  await stage.square.clock.settle();
  await stage.square.append([event('user.1.created'), event('user.2.created')]);
  for (const client of [ada, grace]) client.link.received.length = 0;
  stage.square.log.inner.replace();
  await stage.square.clock.settle();
  expect([rowsOf(ada), rowsOf(grace)]).toEqual([['user.1.#'], ['user.2.#']]);
});
