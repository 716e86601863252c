import { expect } from '../../assertions/expect.js';
import type { TestRunner } from '../../runner.js';
import { numbered, numberedFrom } from '../events.js';
import type { TestedCapabilities } from '../log-kind.js';
import type { Open } from '../open.js';
import { idOf, Recorder, readAll } from '../recorder.js';

/** What a follower of a log receives. */
export function describeFollowing({ it }: TestRunner, open: Open, can: TestedCapabilities): void {
  it('[I-2] following from a point delivers all entries after it, including those from before following began', async () => {
    const { log } = await open();
    const points = await log.append(numberedFrom(1, 10));
    const recorder = new Recorder();
    const stop = log.follow(points[3] ?? (await log.floor()), recorder);
    await log.append(numberedFrom(11, 15));
    await recorder.untilCount(11);
    await log.append([numbered(16)]);
    await recorder.untilCount(12);
    expect(recorder.ids).toEqual(numberedFrom(5, 16).map(({ id }) => id));
    expect(recorder.through).toEqual(await log.head());
    await stop();
    await log.append([numbered(17)]);
    await log.read({ after: 0 });
    expect(recorder.entries).toHaveLength(12);
  });

  it('[I-2] leaves no gap between a page and the entries followed after it, while others append', async () => {
    const { log } = await open();
    const appending = (async () => {
      for (let n = 1; n <= 400; n += 4) await log.append(numberedFrom(n, n + 3));
    })();
    await log.append([numbered(0)]);
    const page = await log.read({ after: 0 });
    const recorder = new Recorder();
    const stop = log.follow(page.through, recorder);
    await appending;
    await recorder.untilCount(401 - page.entries.length);
    await stop();
    const all = [...page.entries, ...recorder.entries];
    expect(all.map(({ offset }) => offset)).toEqual((await readAll(log)).map(({ offset }) => offset));
  });

  it('delivers a backlog in pages, with event loop turns between them', async () => {
    const { log } = await open();
    await log.append(numberedFrom(1, 3000));
    const recorder = new Recorder();
    let turns = 0;
    const turn = () => {
      turns++;
      if (recorder.entries.length < 3000) setImmediate(turn);
    };
    setImmediate(turn);
    const stop = log.follow(await log.floor(), recorder);
    await recorder.untilCount(3000);
    await stop();
    expect(recorder.calls.length).toBeGreaterThanOrEqual(3);
    expect(turns).toBeGreaterThanOrEqual(recorder.calls.length - 1);
  });

  it('moves a follower past events of other exchanges', async () => {
    const { log } = await open({ exchanges: ['wanted'] });
    const recorder = new Recorder();
    const stop = log.follow(await log.floor(), recorder);
    const [point] = await log.append([numbered(1)]);
    await recorder.until('the page to end at the other event', () => recorder.through?.offset === point?.offset);
    expect(recorder.entries).toEqual([]);
    await stop();
  });

  if (can.another) {
    it('[I-2] shows the entries that one handle appends to readers and followers of another', async () => {
      const { log, another } = await open();
      const reader = await another();
      const recorder = new Recorder();
      const stop = reader.follow(await reader.head(), recorder);
      const points = await log.append(numberedFrom(1, 5));
      expect(await reader.head()).toEqual(points.at(-1));
      await recorder.untilCount(5);
      await reader.append([numbered(3), numbered(6)]);
      await recorder.untilCount(6);
      expect((await readAll(log)).map(idOf)).toEqual(recorder.ids);
      await stop();
    });
  }

  if (can.trim) {
    it('[I-2] tells a follower if its point was dropped, instead of skipping entries silently', async () => {
      const { log, trim } = await open();
      const birth = await log.floor();
      await log.append(numberedFrom(1, 10));
      await trim(2);
      const recorder = new Recorder();
      const stop = log.follow(birth, recorder);
      await recorder.until('replaced', () => recorder.calls.includes('replaced'));
      await log.append([numbered(11)]);
      await recorder.untilCount(1);
      expect(recorder.ids).toEqual(['event-11']);
      await stop();
    });
  }

  if (can.replace) {
    it('[I-4] tells a follower that the log was replaced, and then delivers entries of the new log', async () => {
      const { log, replace } = await open();
      await log.append(numberedFrom(1, 3));
      const recorder = new Recorder();
      const stop = log.follow(await log.head(), recorder);
      await replace();
      await recorder.until('replaced', () => recorder.calls.includes('replaced'));
      expect(recorder.heads).toEqual([await log.head()]);
      await log.append(numberedFrom(21, 25));
      await recorder.untilCount(5);
      expect(recorder.ids).toEqual(numberedFrom(21, 25).map(({ id }) => id));
      await stop();
    });
  }
}
