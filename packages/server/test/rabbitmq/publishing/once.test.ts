import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { afterTest } from '../../../../../test/support/cleanup.js';
import { DeafLink } from '../../../../../test/support/deaf-link.js';
import { numberedFrom } from '../../../../../test/support/log/events.js';
import { idOf, Recorder, readAll } from '../../../../../test/support/log/recorder.js';
import { describeWithBroker, type TestNames, testNames } from '../../../../../test/support/rabbitmq.js';
import { openRabbitLog, type RabbitLog } from '../../../src/logs/rabbitmq/rabbitmq-log.js';
import { ALL_ONCE_IN_ORDER, compare, Load } from '../load.js';

async function open({ url, exchange }: TestNames, port = 5672): Promise<RabbitLog> {
  const log = await openRabbitLog(url.replace(':5672/', `:${port}/`), { exchanges: [exchange] });
  afterTest(() => log.close());
  return log;
}

describeWithBroker('a log on RabbitMQ', () => {
  it('[I-3] [I-10] publishes events again whose confirms were lost, and every reader gets each of them once', async () => {
    const names = testNames();
    const link = await DeafLink.open(5672);
    afterTest(() => link.close());
    const [application, gateway] = [await open(names, link.port), await open(names)];
    const recorder = new Recorder();
    gateway.follow(await gateway.head(), recorder);
    const load = new Load(application, names.exchange, 2_000);
    for (let round = 0; round < 3; round++) {
      await delay(300);
      link.deafen();
      await delay(100);
      link.cut();
    }
    await delay(300);
    await load.end();
    await recorder.until('all events', () => new Set(recorder.ids).size >= load.count);
    expect(compare(recorder.entries, load.count)).toEqual(ALL_ONCE_IN_ORDER);
    expect(gateway.counters.duplicates).toBeGreaterThan(100);
    expect(compare(await readAll(gateway), load.count)).toEqual(ALL_ONCE_IN_ORDER);
    expect(compare(await readAll(await open(names)), load.count)).toEqual(ALL_ONCE_IN_ORDER);
  });

  it('[I-3] delivers an event once that is in the stream twice, wherever a reader begins and whichever process reads', async () => {
    const names = testNames();
    const { exchange } = names;
    const log = await open(names);
    const points = await log.append(numberedFrom(1, 60, { exchange }));
    await log.append(numberedFrom(21, 80, { exchange }), { points: false });
    const all = numberedFrom(1, 80).map(({ id }) => id);
    const last = (await log.read({ after: 0 })).through;
    expect(last).toEqual(await log.head());
    for (const start of [0, 10, 40, 59]) {
      const fresh = await open(names);
      const from = points[start - 1] ?? (await fresh.floor());
      const recorder = new Recorder();
      fresh.follow(from, recorder);
      await recorder.until('the end', () => recorder.through?.offset === last.offset);
      expect(recorder.ids).toEqual(all.slice(start));
      for (const reader of [log, fresh]) {
        expect((await readAll(reader, from.offset, { maxCount: 7 })).map(idOf)).toEqual(all.slice(start));
      }
    }
  });

  it('[I-4] accepts the point of a second copy like any other point', async () => {
    const names = testNames();
    const log = await open(names);
    const events = numberedFrom(1, 10, { exchange: names.exchange });
    await log.append(events);
    await log.append(events, { points: false });
    const head = await log.head();
    const [late] = await log.append(numberedFrom(11, 11, { exchange: names.exchange }));
    for (const reader of [log, await open(names)]) {
      expect(await reader.check(head)).toBe('present');
      expect((await reader.read({ after: head.offset })).entries.map(({ offset }) => offset)).toEqual([late?.offset]);
    }
  });

  it('[I-7] does not fill the stream when unknown points are checked again and again', async () => {
    const names = testNames();
    const log = await open(names);
    const [point] = await log.append(numberedFrom(1, 1, { exchange: names.exchange }));
    const { offset } = point ?? { offset: 0 };
    const until = performance.now() + 1_000;
    const ask = async () => {
      while (performance.now() < until)
        expect(await log.check({ offset: offset + 1e6, fingerprint: 1 })).toBe('replaced');
    };
    await Promise.all(Array.from({ length: 50 }, ask));
    const [next] = await log.append(numberedFrom(2, 2, { exchange: names.exchange }));
    expect(next?.offset).toBeLessThan(offset + 15);
  });

  it('does not move a point when the head is requested again and again', async () => {
    const names = testNames();
    const log = await open(names);
    await log.append(numberedFrom(1, 3, { exchange: names.exchange }));
    const head = await log.head();
    const recorder = new Recorder();
    log.follow(head, recorder);
    for (let n = 0; n < 10; n++) expect(await log.head()).toEqual(head);
    expect(await (await open(names)).head()).toEqual(head);
    expect(recorder.calls).toEqual([]);
    expect(await log.read({ after: head.offset })).toEqual({ entries: [], through: head, complete: true });
  });
});
