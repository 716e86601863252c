import { type Client, createClient, type PregonEvent } from '@pregon/client';
import { EventSource } from 'eventsource';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { describeOnBothEngines, makeChanges, type User, type UsersApp, user } from '../../support/pages/users-app.js';
import { eventually } from '../../support/waiting.js';

const CHANGES = 1_000;

await describeOnBothEngines('The reference application after kill -9 of one process', (start) => {
  it('[I-1][I-2][I-3][000-02] delivers 1,000 changes made without the gateway to client, event stream and plain WebSocket, in order; the application notices nothing', async () => {
    const app = await start();
    const all = followPlain(`${app.events}?since=first`);
    const client = followWithClient(app.events);
    const stream = followStream(app.eventStream);
    const plain = followPlain(app.events);
    await Promise.all([client.ready, stream.ready, plain.ready, all.ready]);
    expect(await app.put(user('before'))).toBe(201);
    const followers = [client, stream, plain];
    for (const follower of followers)
      await eventually(
        () => follower.events.length,
        (count) => count === 1,
      );

    await app.gateway.kill('SIGKILL');
    await makeChanges(app, CHANGES);
    await app.startGateway();
    const again = followPlain(`${app.events}?since=${plain.events[0]?.position}`);

    await eventually(
      () => client.events.length,
      (count) => count === CHANGES + 1,
    );
    await eventually(
      () => stream.events.length,
      (count) => count === CHANGES + 1,
    );
    await eventually(
      () => again.events.length,
      (count) => count === CHANGES,
    );
    const log = await replay(app, CHANGES + 1);
    expect(client.events).toEqual(log);
    expect(stream.events).toEqual(log);
    expect([...plain.events, ...again.events]).toEqual(log);
    expect(new Set(log.map((event) => event.id)).size).toBe(CHANGES + 1);
    expect(log.map((event) => Number(event.sequence))).toEqual(log.map((_, index) => index + 1));
    expect(client.resets).toBe(0);
    await expectTableEqual(app, client.users);
  });

  it('[I-5][I-2] has delivered every committed write in order, and nothing else, if the application was killed amid writes', async () => {
    const app = await start();
    const client = followWithClient(app.events);
    await client.ready;
    const acknowledged: User[] = [];
    for (let round = 0; round < 4; round++) {
      const until = acknowledged.length + 40;
      const writers = Array.from({ length: 4 }, (_, writer) =>
        writeUntilKilled(app, `r${round}w${writer}`, acknowledged),
      );
      await eventually(
        () => acknowledged.length,
        (count) => count >= until,
      );
      await app.application.kill('SIGKILL');
      await Promise.all(writers);
      await app.startApplication();
    }
    const table = await app.users();
    await eventually(
      () => client.users.size,
      (size) => size === table.length,
    );
    await expectTableEqual(app, client.users);
    for (const saved of acknowledged) expect(client.users.get(saved.id)).toMatchObject(saved);
    const created = client.events.filter((event) => event.type === 'UserWasCreated');
    expect(created.map((event) => event.subject).sort()).toEqual(table.map(({ id }) => `user/${id}`).sort());
    expect(client.events.map((event) => Number(event.sequence))).toEqual(client.events.map((_, index) => index + 1));
  });
});

interface Follower {
  readonly events: PregonEvent[];
  readonly ready: Promise<void>;
}

function followPlain(url: string): Follower {
  const socket = new WebSocket(url);
  const events: PregonEvent[] = [];
  onTestFinished(() => socket.terminate());
  socket.on('message', (data) => events.push(JSON.parse(data.toString())));
  socket.on('error', () => socket.terminate());
  return { events, ready: new Promise((resolve) => socket.once('open', resolve)) };
}

function followStream(url: string): Follower {
  const source = new EventSource(url);
  const events: PregonEvent[] = [];
  onTestFinished(() => source.close());
  source.onmessage = ({ data }) => events.push(JSON.parse(data));
  return {
    events,
    ready: new Promise((resolve) => source.addEventListener('subscribed', () => resolve(), { once: true })),
  };
}

function followWithClient(url: string) {
  const client: Client = createClient({ url, WebSocket, reconnect: { minDelayMs: 50, maxDelayMs: 300 } });
  onTestFinished(() => client.close());
  const follower = { events: [] as PregonEvent[], resets: 0, ready: Promise.resolve() };
  const users = client.collection({
    key: 'id',
    topics: ['user.#'],
    change: (event) => (event.type === 'UserWasDeleted' ? { remove: event.data } : { put: event.data }),
  });
  const subscribed = new Promise<void>((resolve) => {
    client.subscribe({
      onEvent: (event) => follower.events.push(event),
      onReset: () => (follower.resets += 1),
      onSubscribed: () => resolve(),
    });
  });
  return Object.assign(follower, { users, ready: Promise.all([users.ready, subscribed]).then(() => undefined) });
}

/** Saves users until the application is gone, and records each save that was answered. */
async function writeUntilKilled(app: UsersApp, prefix: string, acknowledged: User[]): Promise<void> {
  for (let i = 0; ; i++) {
    const next = user(`${prefix}-${i}`);
    const status = await app.put(next).catch(() => 'gone' as const);
    if (status === 'gone') return;
    expect(status).toBe(201);
    acknowledged.push(next);
  }
}

async function replay(app: UsersApp, count: number): Promise<PregonEvent[]> {
  const follower = followPlain(`${app.events}?since=first`);
  await eventually(
    () => follower.events.length,
    (length) => length === count,
  );
  return follower.events;
}

async function expectTableEqual(app: UsersApp, held: ReadonlyMap<string | number, object>): Promise<void> {
  const table = await app.users();
  const byId = (a: object, b: object) => JSON.stringify(a).localeCompare(JSON.stringify(b));
  expect([...held.values()].sort(byId)).toEqual([...table].sort(byId));
}
