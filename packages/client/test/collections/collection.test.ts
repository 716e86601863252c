import { describe, expect, it } from 'vitest';
import type { CollectionObserver, JsonObject, RowChange } from '../../src/rows/collection.js';
import type { FakeSocket } from '../support/fake-socket.js';
import { event, harness } from '../support/harness.js';

const change = ({ type, data }: { type: string; data?: unknown }): RowChange | undefined => {
  if (type === 'UserWasDeleted') return { remove: data };
  return type === 'Nothing' ? undefined : { put: data };
};

const USERS = { key: 'id', topics: ['user.#'], change };

function snapshot(socket: FakeSocket, rows: readonly unknown[], position = 'p-0'): void {
  socket.deliver({ op: 'snapshot', id: 1, rows, more: false });
  socket.deliver({ op: 'subscribed', id: 1, position, recovered: false });
}

function observer() {
  const calls: string[] = [];
  const observed: CollectionObserver<JsonObject> = {
    added: (row, key) => calls.push(`added ${key} ${row['name']}`),
    changed: (row, before, key) => calls.push(`changed ${key} ${before['name']} ${row['name']}`),
    removed: (row, key) => calls.push(`removed ${key} ${row['name']}`),
    reset: (reason) => calls.push(`reset ${reason}`),
    ready: () => calls.push('ready'),
  };
  return { calls, observed };
}

const ann = { id: 1, name: 'Ann' };
const bob = { id: 2, name: 'Bob' };

describe('a collection', () => {
  it('[I-6] holds the snapshot, then applies each event, and tells its observers each change', async () => {
    const { client, online } = await harness();
    const users = client.collection(USERS);
    const { calls, observed } = observer();
    users.observe(observed);
    const socket = await online();
    expect(socket.sent).toEqual([{ op: 'subscribe', id: 1, topics: ['user.#'], snapshot: true, batch: true }]);
    expect(users.state).toBe('loading');
    snapshot(socket, [ann, bob]);
    await users.ready;
    expect([users.state, users.size, users.position]).toEqual(['live', 2, 'p-0']);
    socket.deliver(event(1, { id: 3, name: 'Cy' }), event(2, { id: 1, name: 'Anna' }));
    socket.deliver(event(3, bob, 'UserWasDeleted'), event(4, undefined, 'Nothing'));
    expect(calls).toEqual(['added 1 Ann', 'added 2 Bob', 'ready', 'added 3 Cy', 'changed 1 Ann Anna', 'removed 2 Bob']);
    expect([...users.values()].map((row) => row['name'])).toEqual(['Anna', 'Cy']);
    expect([users.has(2), users.get(3), users.position]).toEqual([false, { id: 3, name: 'Cy' }, 'p-4']);
  });

  it('[000-21] resumes without a snapshot, and after a reset reports only the difference', async () => {
    const { client, clock, sockets, online } = await harness();
    const users = client.collection(USERS);
    snapshot(await online(), [ann, bob, { id: 3, name: 'Cy' }]);
    const { calls, observed } = observer();
    users.observe(observed);
    calls.length = 0;
    const held = users.get(1);
    sockets[0]?.lose();
    expect(users.state).toBe('stale');
    await clock.advance(1_000);
    sockets[1]?.welcome();
    expect(sockets[1]?.subscribes).toMatchObject([{ since: 'p-0', snapshot: true }]);
    sockets[1]?.deliver({ op: 'reset', id: 1, reason: 'truncated' });
    sockets[1]?.deliver({ op: 'snapshot', id: 1, rows: [{ id: 4, name: 'Di' }], more: true });
    expect([users.size, users.state]).toEqual([3, 'stale']);
    if (sockets[1])
      snapshot(
        sockets[1],
        [
          { name: 'Ann', id: 1 },
          { id: 3, name: 'Cyd' },
        ],
        'p-9',
      );
    expect(calls).toEqual(['reset truncated', 'removed 2 Bob', 'added 4 Di', 'changed 3 Cy Cyd']);
    expect(users.get(1)).toBe(held);
    expect([[...users.keys()], users.state]).toEqual([[4, 1, 3], 'live']);
  });

  it('reports nothing for an event that does not change a row', async () => {
    const { client, online } = await harness();
    const users = client.collection(USERS);
    const { calls, observed } = observer();
    const socket = await online();
    snapshot(socket, [ann]);
    users.observe(observed);
    socket.deliver(event(1, { name: 'Ann', id: 1 }), event(2, bob, 'UserWasDeleted'));
    expect(calls).toEqual(['added 1 Ann', 'ready']);
    expect(users.position).toBe('p-2');
  });

  it('accepts a key as the row to remove, and a function as the key', async () => {
    const { client, online } = await harness();
    const users = client.collection({
      key: (row) => `user/${row['id']}`,
      change: ({ subject }) => (subject === undefined ? undefined : { remove: subject }),
    });
    const socket = await online();
    snapshot(socket, [ann, bob]);
    expect([...users.keys()]).toEqual(['user/1', 'user/2']);
    socket.deliver({ ...event(1), subject: 'user/1' });
    expect([...users]).toEqual([['user/2', bob]]);
  });

  it('has typed rows if it parses them', async () => {
    const { client, errors, online } = await harness();
    class User {
      readonly name: string;
      constructor(name: string) {
        this.name = name;
      }
    }
    const users = client.collection({
      key: 'name',
      parse: (value) => {
        if (typeof value !== 'string') throw new TypeError('no user');
        return new User(value);
      },
      change: ({ data }) => ({ put: data }),
    });
    const socket = await online();
    snapshot(socket, ['Ann', 'Bob']);
    socket.deliver(event(1, 'Cy'));
    const names: string[] = [...users.values()].map((user: User) => user.name);
    expect(names).toEqual(['Ann', 'Bob', 'Cy']);
    expect(errors).toEqual([]);
  });

  it('[I-8] protects an observer from the failure of another', async () => {
    const { client, errors, online } = await harness();
    const users = client.collection(USERS);
    users.observe({
      added: () => {
        throw new Error('broken');
      },
    });
    const { calls, observed } = observer();
    users.observe(observed);
    snapshot(await online(), [ann]);
    expect(calls).toEqual(['added 1 Ann', 'ready']);
    expect(errors).toMatchObject([{ code: 'HANDLER_FAILED', cause: new Error('broken') }]);
    expect(users.size).toBe(1);
  });

  it('reports each row once to an observer that is added later, or within a change', async () => {
    const { client, online } = await harness();
    const users = client.collection(USERS);
    const inner = observer();
    const late = observer();
    const stop = users.observe({
      added: () => {
        if (inner.calls.length === 0) users.observe(inner.observed);
      },
    });
    const socket = await online();
    snapshot(socket, [ann, bob]);
    users.observe(late.observed);
    stop();
    expect(inner.calls).toEqual(['added 1 Ann', 'added 2 Bob', 'ready']);
    expect(late.calls).toEqual(['added 1 Ann', 'added 2 Bob', 'ready']);
  });

  it('calls no observer once it is closed, even during a snapshot, and keeps its rows', async () => {
    const { client, online } = await harness();
    const users = client.collection(USERS);
    const { calls, observed } = observer();
    users.observe({
      ...observed,
      added: (_, key) => {
        calls.push(`added ${key}`);
        users.close();
      },
    });
    const socket = await online();
    snapshot(socket, [ann, bob]);
    socket.deliver(event(1, { id: 3, name: 'Cy' }));
    expect(calls).toEqual(['added 1']);
    expect([users.state, users.size]).toEqual(['closed', 2]);
    expect(socket.sent.at(-1)).toEqual({ op: 'unsubscribe', id: 1 });
  });

  it('rejects ready if it ends before: refused, closed, or with its client', async () => {
    const { client, errors, online } = await harness();
    const refused = client.collection(USERS);
    const closed = client.collection(USERS);
    const ended = client.collection(USERS);
    const socket = await online();
    socket.deliver({ op: 'error', id: 1, code: 'SNAPSHOT_NOT_OFFERED', message: 'none', retryable: false });
    closed.close();
    client.close();
    await expect(refused.ready).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_OFFERED' });
    await expect(closed.ready).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    await expect(ended.ready).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    expect(errors.map(({ code }) => code)).toEqual(['SNAPSHOT_NOT_OFFERED']);
    expect(ended.state).toBe('closed');
  });

  it('throws at once for invalid arguments', async () => {
    const { client } = await harness();
    const bad = [
      { ...USERS, key: 1 },
      { ...USERS, change: undefined },
    ];
    for (const options of bad) expect(() => Reflect.apply(client.collection, client, [options])).toThrow(TypeError);
  });
});
