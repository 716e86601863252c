import { copyFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isEvent, type PregonEvent } from '@pregon/protocol';
import { openLog } from 'pregon';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/cleanup.js';
import { FramesClient, untilAtHead } from '../../support/gateway/frames-client.js';
import { numberedEvent, numbers, startGateway } from '../../support/gateway/gateway.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { StreamClient } from '../../support/gateway/stream-client.js';
import { eventually } from '../../support/waiting.js';

const snapshot = () => ({ rows: [{ row: 1 }], sequence: 0 });
const routes = { events: { path: '/events', snapshot } };

/** Makes another log with other events, and closes it. */
async function makeLog(file: string, count: number, type = 'Other'): Promise<void> {
  const log = await openLog(`sqlite:${file}`);
  for (let from = 1; from <= count; from += 1_000) {
    const size = Math.min(1_000, count - from + 1);
    await log.append(
      Array.from({ length: size }, (_, i) => numberedEvent(from + i, { type, exchange: type, padding: 300 })),
    );
  }
  await log.close();
}

/** Replaces an open log by another one. */
async function replaceLog(file: string, count: number): Promise<void> {
  const other = join(temporaryFolder(), 'other.db');
  await makeLog(other, count);
  renameSync(other, file);
}

const typesOf = (events: readonly PregonEvent[]) => [...new Set(events.map(({ type }) => type))];

describe('A log that changes while clients follow it', () => {
  const ways: { name: string; change: (file: string) => Promise<void> }[] = [
    { name: 'it is replaced by a longer one', change: (file) => replaceLog(file, 500) },
    { name: 'it is replaced by a shorter one', change: (file) => replaceLog(file, 3) },
    {
      name: 'it is deleted',
      change: async (file) => {
        for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
      },
    },
  ];
  for (const { name, change } of ways) {
    it(`[I-4][I-6] makes each transport say so, before any event of the new log: ${name}`, async () => {
      const gateway = await startGateway({ routes });
      const { ws, http, append, logFile } = gateway;
      const plain = await PlainClient.open(ws('/events'));
      const frames = await FramesClient.open(ws('/events'));
      await frames.subscribe({ id: 1 });
      await frames.subscribe({ id: 2, snapshot: true });
      const stream = await StreamClient.open(http('/events'));
      await append(100, { padding: 300 });
      await Promise.all([plain.numbers(100), frames.numbers(1, 100), frames.numbers(2, 100), stream.numbers(100)]);
      await change(logFile);

      expect(await plain.whenClosed()).toMatchObject({ code: 4502, reason: expect.stringMatching(/^replaced/) });
      await frames.frames.until(() => frames.controls('subscribed').length === 4, 'both to be open again');
      expect(frames.controls('reset').map(({ id, reason }) => `${id} ${reason}`)).toEqual(['1 replaced', '2 replaced']);
      expect(frames.controls('snapshot')).toHaveLength(2);
      await stream.blocks.until(() => stream.blocks.all.length >= 3, 'three blocks');
      expect(stream.blocks.all.map((block) => block.name)).toEqual(['subscribed', 'reset', 'subscribed']);

      await untilAtHead(gateway);
      await append(2, { type: 'Later' });
      const [last] = await Promise.all([frames.numbers(1, 102), frames.numbers(2, 102), stream.numbers(102)]);
      expect(last).toEqual(numbers(1, 102));
      for (const events of [frames.events(1), frames.events(2), stream.events.all]) {
        expect(typesOf(events)).toEqual(['WasNumbered', 'Later']);
      }
      expect(plain.events.all).toHaveLength(100);
    });
  }

  it('[I-4] sends no event of the new log before reset to a client that is reading far behind', async () => {
    const { ws, append, logFile } = await startGateway({ historyBytes: 0, maxBufferedBytes: 1 });
    await append(20_000, { padding: 300 });
    for (let round = 0; round < 2; round++) {
      const type = round === 0 ? 'WasNumbered' : `Other${round}`;
      const client = await FramesClient.open(ws('/events'));
      client.send({ op: 'subscribe', id: 1, since: 'first' });
      await client.frames.until(() => client.events(1).length > 10, 'some events');
      client.socket.pause();
      const other = join(temporaryFolder(), 'other.db');
      await makeLog(other, 25_000, `Other${round + 1}`);
      const before = client.events(1).length;
      expect(before).toBeLessThan(19_000);
      client.socket.resume();
      renameSync(other, logFile);
      await client.control('reset');
      const resetAt = client.frames.all.findIndex((frame) => !isEvent(frame) && frame.op === 'reset');
      const earlier = client.frames.all.slice(0, resetAt).filter(isEvent);
      expect(typesOf(earlier)).toEqual([type]);
      expect(earlier.map(({ data }) => data)).toMatchObject(numbers(1, earlier.length).map((n) => ({ n })));
      await client.close();
    }
  });
});

describe('A position of a log that no longer exists', () => {
  it('[I-4] is answered with reset on each transport after the gateway has restarted', async () => {
    const first = await startGateway({ routes });
    await first.append(200);
    const before = await PlainClient.open(first.ws('/events?since=first'));
    await before.events.count(200);
    const since = before.events.all[99]?.position ?? '';
    await first.gateway.close({ spreadMs: 0 });
    await first.log.close();
    for (const suffix of ['', '-wal', '-shm']) rmSync(first.logFile + suffix, { force: true });
    await makeLog(first.logFile, 300);

    const second = await startGateway({ routes, logFile: first.logFile });
    const plain = new PlainClient(second.ws(`/events?since=${since}`));
    expect(await plain.whenClosed()).toMatchObject({ code: 4502, reason: expect.stringMatching(/^replaced/) });
    expect(plain.events.all).toEqual([]);
    const frames = await FramesClient.open(second.ws('/events'));
    expect(await frames.subscribe({ id: 1, since, snapshot: true })).toMatchObject({ recovered: false });
    expect(frames.frames.all.slice(1).map((frame) => (isEvent(frame) ? 'event' : frame.op))).toEqual([
      'reset',
      'snapshot',
      'subscribed',
    ]);
    const stream = await StreamClient.open(second.http('/events?snapshot=true'), { 'Last-Event-ID': since });
    expect(stream.blocks.all.map(({ name }) => name)).toEqual(['reset', 'snapshot', 'subscribed']);
  });

  it('[I-4] is answered with reset if a backup was restored and other events followed; one from within the backup resumes', async () => {
    const first = await startGateway();
    await first.append(50);
    await first.gateway.close({ spreadMs: 0 });
    await first.log.close();
    const backup = join(temporaryFolder(), 'backup.db');
    copyFileSync(first.logFile, backup);
    const second = await startGateway({ logFile: first.logFile });
    await second.append(50, { from: 51 });
    const client = await PlainClient.open(second.ws('/events?since=first'));
    await client.events.count(100);
    await second.gateway.close({ spreadMs: 0 });
    await second.log.close();
    for (const suffix of ['', '-wal', '-shm']) rmSync(first.logFile + suffix, { force: true });
    copyFileSync(backup, first.logFile);

    const third = await startGateway({ logFile: first.logFile });
    const position = (n: number) => client.events.all[n - 1]?.position;
    const ahead = new PlainClient(third.ws(`/events?since=${position(80)}`));
    expect((await ahead.whenClosed()).code).toBe(4502);
    await third.append(40, { from: 51, type: 'Otherwise' });
    const forked = new PlainClient(third.ws(`/events?since=${position(80)}`));
    expect((await forked.whenClosed()).code).toBe(4502);
    expect([...ahead.events.all, ...forked.events.all]).toEqual([]);
    for (const n of [1, 49, 50]) {
      const resumed = await PlainClient.open(third.ws(`/events?since=${position(n)}`));
      expect(await resumed.numbers(90 - n)).toEqual(numbers(n + 1, 90));
    }
  });
});

describe('A log that retention has trimmed', () => {
  it('[I-4][I-2] resumes from its retained events and from the point before them; earlier positions are reset as truncated', async () => {
    const { ws, http, append, logFile } = await startGateway({ historyBytes: 0 });
    await append(100);
    const client = await PlainClient.open(ws('/events?since=first'));
    await client.events.count(100);
    const trimmer = await openLog(`sqlite:${logFile}`);
    await trimmer.trim({ maxCount: 40 });
    await trimmer.close();
    const position = (n: number) => client.events.all[n - 1]?.position ?? '';

    for (const n of [60, 61, 99, 100]) {
      const resumed = await PlainClient.open(ws(`/events?since=${position(n)}`));
      await append(1, { from: 101 });
      expect(await resumed.numbers(101 - n)).toEqual(numbers(n + 1, 101));
    }
    for (const n of [1, 59]) {
      const late = new PlainClient(ws(`/events?since=${position(n)}`));
      expect(await late.whenClosed()).toMatchObject({ code: 4502, reason: expect.stringMatching(/^truncated/) });
      expect(late.events.all).toEqual([]);
      const stream = await StreamClient.open(http('/events'), { 'Last-Event-ID': position(n) });
      expect(stream.blocks.all[0]).toMatchObject({ name: 'reset', data: { reason: 'truncated' } });
    }
    const first = await PlainClient.open(ws('/events?since=first'));
    expect(await first.numbers(41)).toEqual(numbers(61, 101));
  });

  it('[I-2] resets a connection that fell behind during the trim, and sends it a fresh snapshot: no silent hole', async () => {
    const { ws, append, logFile, gateway } = await startGateway({ routes, historyBytes: 0, maxBufferedBytes: 1 });
    await append(1);
    const client = await FramesClient.open(ws('/events'));
    client.send({ op: 'subscribe', id: 1, since: 'first', snapshot: true });
    await client.numbers(1, 1);
    client.socket.pause();
    await append(20_000, { padding: 300 });
    const trimmer = await openLog(`sqlite:${logFile}`);
    await trimmer.trim({ maxCount: 10 });
    await trimmer.close();
    await eventually(
      () => gateway.notReady,
      (reason) => reason === undefined,
    );
    client.socket.resume();
    expect(await client.control('reset')).toMatchObject({ id: 1, reason: 'truncated' });
    await client.frames.until(() => client.controls('subscribed').length === 2, 'to be open again');
    expect(client.controls('snapshot')).toHaveLength(1);
    await append(1, { from: 30_000 });
    await client.frames.until(() => client.events(1).at(-1)?.id === 'events-30000', 'the last event');
    const seen = client.events(1).map(({ data }) => Number(Reflect.get(Object(data), 'n')));
    const held = seen.slice(0, -1);
    expect(held).toEqual(numbers(1, held.length));
    expect(held.length).toBeLessThan(20_001);
  });
});
