import { describe, expect, it } from 'vitest';
import type { CollectionState, Key, ParsedCollectionOptions } from '../../src/rows/collection.js';
import type { FakeSocket } from '../support/fake-socket.js';
import { event, type Harness, harness } from '../support/harness.js';

interface User {
  readonly id: Key;
  readonly name: string;
}

/** Accepts only complete rows, as a schema does. */
function toUser(value: unknown): User {
  if (typeof value !== 'object' || value === null || !('id' in value) || !('name' in value)) {
    throw new TypeError('not a user');
  }
  const { id, name } = value;
  if ((typeof id !== 'string' && typeof id !== 'number') || typeof name !== 'string') throw new TypeError('not a user');
  return { id, name };
}

const change = ({ type, data }: { type: string; data?: unknown }) =>
  type === 'UserWasDeleted' ? { remove: data } : { put: data };

const ann = { id: 1, name: 'Ann' };
const bob = { id: 2, name: 'Bob' };
const cy = { id: 3, name: 'Cy' };

/** Answers the last subscribe frame with a snapshot. */
function answer(socket: FakeSocket, rows: readonly unknown[], position = 'p-0'): void {
  const id = socket.subscribes.at(-1)?.id ?? Number.NaN;
  socket.deliver({ op: 'snapshot', id, rows, more: false });
  socket.deliver({ op: 'subscribed', id, position, recovered: false });
}

async function open(options: Partial<ParsedCollectionOptions<User>> = {}, rows: readonly unknown[] = [ann, bob]) {
  const made = await harness();
  const users = made.client.collection<User>({ key: 'id', parse: toUser, change, ...options });
  const states: CollectionState[] = [];
  const calls: string[] = [];
  users.observe({
    state: (state) => states.push(state),
    added: ({ name }, key) => calls.push(`+${key} ${name}`),
    changed: ({ name }, before, key) => calls.push(`~${key} ${before.name} ${name}`),
    removed: ({ name }, key) => calls.push(`-${key} ${name}`),
    updated: () => calls.push(`| ${users.size}`),
  });
  const socket = await made.online();
  answer(socket, rows);
  return { ...made, users, socket, states, calls };
}

/** The next request to the gateway, after the delay before a new snapshot. */
async function untilAsked({ clock }: Harness, socket: FakeSocket): Promise<void> {
  const before = socket.subscribes.length;
  for (let i = 0; i < 100 && socket.subscribes.length === before; i++) await clock.advance(500);
  expect(socket.subscribes).toHaveLength(before + 1);
}

const UNREADABLE: [string, unknown][] = [
  ['null', null],
  ['a string', 'text'],
  ['part of a row', { id: 1 }],
  ['a row without its key', { name: 'no id' }],
  ['an invalid key', { id: {}, name: 'x' }],
];

describe('a collection', () => {
  it('[fault C1] reads the key of a removal before it parses, so that a part of a row is enough', async () => {
    const { users, socket, errors } = await open();
    socket.deliver(event(1, { id: 1 }, 'UserWasDeleted'), event(2, { id: 9 }, 'UserWasDeleted'));
    expect([[...users.keys()], users.state, errors]).toEqual([[2], 'live', []]);
  });

  it('[fault C1] gets the key from parse if parse changes keys', async () => {
    const toSlug = (value: unknown): User => ({ ...toUser(value), id: `u-${toUser(value).id}` });
    const { users, socket, errors } = await open({ parse: toSlug });
    expect([...users.keys()]).toEqual(['u-1', 'u-2']);
    socket.deliver(event(1, ann, 'UserWasDeleted'));
    expect([[...users.keys()], users.state, errors]).toEqual([['u-2'], 'live', []]);
    socket.deliver(event(2, { id: 2 }, 'UserWasDeleted'));
    expect([[...users.keys()], users.state]).toEqual([['u-2'], 'stale']);
  });

  it('[fault C1] accepts a function as the key, like a member', async () => {
    const { users, socket } = await open({ key: ({ id }) => `user/${id}` });
    socket.deliver(event(1, { id: 1 }, 'UserWasDeleted'));
    expect([[...users.keys()], users.state]).toEqual([['user/2'], 'live']);
  });

  it.each(UNREADABLE)(
    '[fault C1] is stale after a change that cannot be applied, and live again with the next snapshot: put of %s',
    async (_, data) => {
      const made = await open();
      const { users, socket, errors, states } = made;
      socket.deliver(event(1, data), event(2, cy));
      expect([[...users.values()], users.state, users.position]).toEqual([[ann, bob], 'stale', 'p-0']);
      expect(errors).toMatchObject([{ code: 'HANDLER_FAILED', cause: expect.any(TypeError) }]);
      expect(users.lastError).toBe(errors[0]);
      expect(users.lastError?.message).toMatch(
        /^the event e-1 \(UserWasUpdated\) could not be applied to the collection: /,
      );
      expect(socket.sent.at(-1)).toEqual({ op: 'unsubscribe', id: 1 });
      await untilAsked(made, socket);
      expect(socket.subscribes.at(-1)).toEqual({ op: 'subscribe', id: 2, topics: ['#'], snapshot: true, batch: true });
      answer(socket, [bob, cy], 'p-7');
      expect([[...users.values()], users.state, users.position]).toEqual([[bob, cy], 'live', 'p-7']);
      socket.deliver(event(8, ann));
      expect([...users.keys()]).toEqual([2, 3, 1]);
      expect(states).toEqual(['loading', 'live', 'stale', 'live']);
    },
  );

  const failing = new Error('broken');
  const nonsense: [string, () => unknown][] = [
    [
      'throws',
      () => {
        throw failing;
      },
    ],
    [
      'throws a value that is not an error',
      () => {
        throw Object.create(null);
      },
    ],
    ['null', () => null],
    ['a string', () => 'put'],
    ['nothing to do', () => ({})],
    ['an undefined row', () => ({ put: undefined })],
    ['an undefined removal beside a row', () => ({ put: cy, remove: undefined })],
    ['another member', () => ({ put: cy, removed: 1 })],
    ['a removal of nothing', () => ({ remove: undefined })],
    ['a removal of NaN', () => ({ remove: Number.NaN })],
    ['a list with an invalid change', () => [{ put: cy }, undefined]],
    ['a list of lists', () => [[{ put: cy }]]],
    ['rows of which one is null', () => ({ put: [cy, null] })],
    ['a promise', async () => ({ put: cy })],
    ['a promise that rejects', () => Promise.reject(failing)],
  ];
  it.each(nonsense)('[fault C1] is stale and applies nothing if a change is %s', async (_, returned) => {
    const options = { change: returned };
    const { users, socket, errors } = await open(Object(options));
    socket.deliver(event(1));
    expect([[...users.values()], users.state, errors.length]).toEqual([[ann, bob], 'stale', 1]);
  });

  it('[fault C1] is not live with a snapshot that has an unreadable row, and requests another after growing delays', async () => {
    const made = await open({}, [ann, { id: 2 }]);
    const { users, clock, socket, errors } = made;
    expect([users.size, users.state, users.lastError?.message]).toEqual([
      0,
      'loading',
      'the snapshot could not be applied to the collection: not a user',
    ]);
    const delays: number[] = [];
    for (let i = 0; i < 4; i++) {
      const before = clock.now();
      await untilAsked(made, socket);
      delays.push(clock.now() - before);
      answer(socket, [ann, { id: 2 }]);
    }
    expect(delays).toEqual([...delays].sort((a, b) => a - b));
    expect(delays.at(-1)).toBeGreaterThan(delays[0] ?? Number.NaN);
    expect(errors).toHaveLength(5);
    await untilAsked(made, socket);
    answer(socket, [ann, bob]);
    await users.ready;
    expect([users.size, users.state]).toEqual([2, 'live']);
  });

  it('[fault C1] is not live with a snapshot in which two rows have one key', async () => {
    const { users, errors } = await open({}, [ann, { id: 1, name: 'Anna' }]);
    expect([users.state, errors[0]?.message]).toEqual([
      'loading',
      'the snapshot could not be applied to the collection: two rows have the key 1',
    ]);
    const same = await open({}, [ann, { name: 'Ann', id: 1 }]);
    expect([same.users.state, same.users.size]).toEqual(['live', 1]);
  });

  it('[fault C1] requests a new snapshot even after a lost connection, and never resumes at the old position', async () => {
    const made = await open();
    const { users, socket, sockets, clock } = made;
    socket.deliver(event(1, 'text'));
    socket.lose();
    await clock.advance(1_000);
    sockets[1]?.welcome();
    expect(sockets[1]?.subscribes).toEqual([{ op: 'subscribe', id: 2, topics: ['#'], snapshot: true, batch: true }]);
    if (sockets[1]) answer(sockets[1], [cy], 'p-3');
    expect([[...users.values()], users.state]).toEqual([[cy], 'live']);
  });

  it('[fault C1] is behind in the state of the client while it is stale, and requests nothing once it is closed', async () => {
    const { users, socket, client, clock } = await open();
    expect(client.state).toBe('online');
    socket.deliver(event(1, 'text'));
    expect(client.state).toBe('catching-up');
    users.close();
    await clock.advance(20_000);
    expect([client.state, users.state, socket.subscribes.length]).toEqual(['online', 'closed', 1]);
  });

  it('[fault C1] stays closed if an observer closes it when it is stale', async () => {
    const { users, socket, clock, errors } = await open();
    users.observe({ state: (state) => state === 'stale' && users.close() });
    socket.deliver(event(1, 'text'));
    await clock.advance(60_000);
    expect([users.state, socket.subscribes.length, errors.length]).toEqual(['closed', 1, 1]);
  });

  it('is never live with old rows while observers get the snapshot after a reset', async () => {
    const { users, client, socket } = await open();
    const seen: string[] = [];
    client.on('state', () => seen.push(`${users.state} ${users.size} ${users.position}`));
    socket.deliver({ op: 'reset', id: 1, reason: 'replaced' });
    answer(socket, [cy], 'q-1');
    expect(seen).toEqual(['stale 2 p-0', 'stale 2 p-0']);
    expect([users.state, users.size, users.position]).toEqual(['live', 1, 'q-1']);
  });

  it('is live again with its rows after a reset if another gateway can serve the position', async () => {
    const { users, clock, socket, sockets } = await open();
    socket.deliver({ op: 'reset', id: 1, reason: 'truncated' });
    expect(users.state).toBe('stale');
    socket.lose();
    await clock.advance(1_000);
    sockets[1]?.welcome();
    sockets[1]?.deliver({ op: 'subscribed', id: 1, position: 'p-0', recovered: true }, event(1, cy));
    expect([users.state, users.size, users.position]).toEqual(['live', 3, 'p-1']);
  });
});

describe('a change of several rows', () => {
  const several: [string, unknown, string[]][] = [
    ['{ put, remove }', { put: cy, remove: 1 }, ['-1 Ann', '+3 Cy', '| 2']],
    ['{ put, remove } of one key', { put: { id: 1, name: 'Anna' }, remove: ann }, ['~1 Ann Anna', '| 2']],
    ['lists', { put: [cy, { id: 1, name: 'Anna' }], remove: [2, 9] }, ['-2 Bob', '+3 Cy', '~1 Ann Anna', '| 2']],
    ['a list of changes', [{ remove: bob }, { put: cy }], ['-2 Bob', '+3 Cy', '| 2']],
    ['a row that comes and goes', [{ put: cy }, { remove: 3 }], []],
    ['a row twice', [{ put: { id: 1, name: 'A' } }, { put: { id: '1', name: 'Anna' } }], ['~1 Ann Anna', '| 2']],
    ['no change', [], []],
    ['no rows', { put: [], remove: [] }, []],
  ];
  it.each(several)('[fault C2] is applied at once, and reported once for each row: %s', async (_, returned, told) => {
    const { users, socket, calls, errors } = await open(Object({ change: () => returned }));
    const sizes: number[] = [];
    users.observe({ added: () => sizes.push(users.size), removed: () => sizes.push(users.size) });
    calls.length = 0;
    sizes.length = 0;
    socket.deliver(event(1));
    expect([calls, errors, users.state, users.position]).toEqual([told, [], 'live', 'p-1']);
    expect(new Set(sizes).size).toBeLessThanOrEqual(1);
  });

  it('[fault C2] can rename a row, and observers are told both changes', async () => {
    const { users, socket, calls } = await open({
      change: ({ data }) =>
        typeof data === 'object' && data !== null && 'after' in data ? { put: data.after, remove: 1 } : undefined,
    });
    calls.length = 0;
    socket.deliver(event(1, { after: { id: 7, name: 'Ann' } }));
    expect([calls, [...users.keys()]]).toEqual([
      ['-1 Ann', '+7 Ann', '| 2'],
      [2, 7],
    ]);
  });
});

describe('the key of a row', () => {
  it('[fault C9] is the same as a number and as a string, and keeps its first form', async () => {
    const { users, socket, calls, errors } = await open({}, [{ id: '1', name: 'Ann' }, bob]);
    calls.length = 0;
    socket.deliver(event(1, { id: 1, name: 'Anna' }), event(2, { id: '2' }, 'UserWasDeleted'));
    expect(calls).toEqual(['~1 Ann Anna', '| 2', '-2 Bob', '| 1']);
    expect([[...users.keys()], errors]).toEqual([['1'], []]);
    expect([users.get(1), users.has('1'), users.has(1), users.has('01')]).toEqual([
      { id: 1, name: 'Anna' },
      true,
      true,
      false,
    ]);
    socket.deliver(event(3, '1', 'UserWasDeleted'));
    expect(users.size).toBe(0);
  });

  it('[fault C9] keeps its form over a snapshot that has the other form', async () => {
    const { users, socket, calls } = await open();
    calls.length = 0;
    socket.deliver({ op: 'reset', id: 1, reason: 'truncated' });
    answer(socket, [{ id: '1', name: 'Ann' }], 'p-9');
    expect([[...users.keys()], users.get(1)]).toEqual([[1], { id: '1', name: 'Ann' }]);
    expect(calls).toEqual(['-2 Bob', '~1 Ann Ann', '| 1']);
  });

  it.each(['01', '1.0', ' 1', '+1', '1e0', '0x1', ''])('[fault C9] is not 1 if it is %j', async (id) => {
    const { users, socket } = await open({}, [ann]);
    socket.deliver(event(1, { id, name: 'other' }));
    expect([users.size, users.get(1)]).toEqual([2, ann]);
  });

  it('[fault C9] is refused as a number of 2^53 or more, which two rows may share, and accepted as a string', async () => {
    const { users, socket, errors } = await open({}, [{ id: '9007199254740992', name: 'Ann' }]);
    socket.deliver(event(1, { id: '9007199254740993', name: 'Bob' }));
    expect([...users.keys()]).toEqual(['9007199254740992', '9007199254740993']);
    socket.deliver(event(2, { id: 9007199254740992, name: 'Cy' }));
    expect([users.state, users.size]).toEqual(['stale', 2]);
    expect(errors[0]?.message).toMatch(/must be a string, or a number below 2\^53, not 9007199254740992$/);
  });
});
