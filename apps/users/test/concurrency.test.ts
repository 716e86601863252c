import { expect, it } from 'vitest';
import { eventually } from '../../../test/support/waiting.js';
import { describeOnEachDatabase, describeOnPostgres } from './support/databases.js';
import {
  createPlace,
  type LoggedEvent,
  startAt,
  startForTest,
  type TestApplication,
} from './support/running-application.js';

const user = (version: number | string) => ({ name: `Version ${version}`, email: `v${version}@example.com` });

await describeOnEachDatabase('concurrent writers', (create) => {
  it('[I-5] that save one new id: one creates it, the others change it, and the last event equals the row', async () => {
    const place = await createPlace(create);
    const applications = await Promise.all([startAt(place), startAt(place)]);
    const answers = await Promise.all(
      Array.from({ length: 24 }, (_, n) => applications[n % 2]?.put('1', user(n)).then(({ status }) => status)),
    );
    expect(answers.sort()).toEqual([...Array(23).fill(200), 201]);
    const row = await (await applications[0].request('/users/1')).json();
    const events = await eventsOf(applications);
    expect(events.map(({ type }) => type)).toEqual(['UserWasCreated', ...Array(23).fill('UserWasUpdated')]);
    expect(new Set(events.map(({ data }) => JSON.stringify(data))).size).toBe(24);
    expect(events.at(-1)?.data).toEqual(row);
  });

  it('[I-5] that save one new id with If-None-Match: *: one creates it, the others are refused', async () => {
    const app = await startForTest(create);
    const saves = Array.from({ length: 12 }, (_, n) => app.put('1', user(n), { 'If-None-Match': '*' }));
    const statuses = (await Promise.all(saves)).map(({ status }) => status);
    expect(statuses.sort()).toEqual([201, ...Array(11).fill(412)]);
    expect(await app.eventsInTheEnd()).toHaveLength(1);
  });

  it('[I-1][I-5][I-6] that save and delete a few rows: the events, applied one by one, give the table', async () => {
    const place = await createPlace(create);
    const applications = await Promise.all([startAt(place), startAt(place)]);
    const work = applications.flatMap((app, index) => [writeAndDelete(app, index), writeAndDelete(app, index + 2)]);
    const answered = (await Promise.all(work)).flat();
    const table = await (await applications[0].request('/users')).json();
    const events = await eventsOf(applications);
    expect(applyAll(events)).toEqual(table);
    const counted = (type: string) => events.filter((event) => event.type === type).length;
    expect(counted('UserWasCreated')).toBe(answered.filter((status) => status === 201).length);
    expect(counted('UserWasDeleted')).toBe(answered.filter((status) => status === 204).length);
  });
});

await describeOnPostgres('several processes on one PostgreSQL', (create) => {
  it('migrate an empty database at the same time, and one of their relays is active', async () => {
    const place = await createPlace(create);
    const applications = await Promise.all(Array.from({ length: 4 }, () => startAt(place)));
    const states = async () =>
      (await Promise.all(applications.map(({ health }) => health()))).map(({ relay }) => relay);
    await eventually(states, (seen) => seen.sort().join() === 'idle,standby,standby,standby');
  });

  it('hand over to another relay when the process with the active relay ends', async () => {
    const place = await createPlace(create);
    const applications = await Promise.all([startAt(place), startAt(place)]);
    const atWork = await eventually(
      () => find(applications, 'idle'),
      (found) => found !== undefined,
    );
    const standingBy = applications.find((app) => app !== atWork);
    await standingBy?.put('1', user(1));
    await atWork?.close();
    await standingBy?.put('2', user(2));
    expect((await standingBy?.eventsInTheEnd())?.map(({ topic }) => topic)).toEqual([
      'user.1.created',
      'user.2.created',
    ]);
  });
});

async function find(applications: readonly TestApplication[], state: string): Promise<TestApplication | undefined> {
  const states = await Promise.all(applications.map(({ health }) => health()));
  return applications[states.findIndex(({ relay }) => relay === state)];
}

/** The statuses of the answers. */
async function writeAndDelete(app: TestApplication, writer: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let n = 0; n < 20; n++) {
    const id = String(n % 3);
    const remove = n % 4 === writer % 4;
    const answer = await (remove
      ? app.request(`/users/${id}`, { method: 'DELETE' })
      : app.put(id, user(`${writer}-${n}`)));
    await answer.arrayBuffer();
    statuses.push(answer.status);
  }
  return statuses;
}

/** Applies events as a browser does, and checks that none is impossible. */
function applyAll(events: readonly LoggedEvent[]): unknown[] {
  const rows = new Map<string, unknown>();
  for (const { type, subject, data } of events) {
    expect(rows.has(subject), `${type} of ${subject}`).toBe(type !== 'UserWasCreated');
    if (type === 'UserWasDeleted') {
      expect(rows.get(subject), 'a deletion carries the row as it was').toEqual(data);
      rows.delete(subject);
    } else rows.set(subject, data);
  }
  return [...rows.keys()].sort().map((subject) => rows.get(subject));
}

async function eventsOf([first, ...others]: readonly TestApplication[]): Promise<LoggedEvent[]> {
  if (first === undefined) throw new Error('no application');
  for (const { close } of others) await close();
  return first.eventsInTheEnd();
}
