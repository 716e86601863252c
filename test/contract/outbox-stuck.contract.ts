import { type ErrorCode, PregonError } from '@pregon/protocol';
import { describe, expect, it } from 'vitest';

import { eventually, type OutboxSubject } from './outbox-subject.js';

/** Rows that no log can take, or that the log refuses for good. */
export function describeStuckRows(on: OutboxSubject): void {
  const { relayOn, startRelay, event, add, addAll, relayed, sequences } = on;
  describe('A relay, if the log refuses rows,', () => {
    /** Makes the log refuse the events that match. */
    const refuse = (isRefused: (data: unknown) => boolean, code: ErrorCode = 'EVENT_TOO_LARGE') => {
      on.log.beforeAppend = (events) => {
        const refused = events.find(({ data }) => isRefused(data));
        if (refused) throw new PregonError(code, `this log cannot take ${JSON.stringify(refused.data)}`);
      };
    };

    it.each([
      ['one', (data: unknown) => data === 77],
      ['the first and the last', (data: unknown) => data === 0 || data === 99],
      ['every third', (data: unknown) => Number(data) % 3 === 0],
      ['all but one', (data: unknown) => data !== 50],
    ])(
      '[fault C4] [I-1] sets aside the refused rows of a batch (%s), and keeps the others in order',
      async (_, isRefused) => {
        refuse(isRefused);
        const all = Array.from({ length: 100 }, (_item, i) => i);
        await addAll(100);
        const { relay, errors } = relayOn();
        relay.start();
        await eventually(async () => expect([relay.state, await relay.pending()]).toEqual(['idle', 0]));
        const refused = all.filter(isRefused);
        expect(on.log.events.map(({ data }) => data)).toEqual(all.filter((data) => !isRefused(data)));
        expect(await relay.stuck()).toBe(refused.length);
        expect(await relay.lagMs()).toBe(0);
        await eventually(async () => expect([await on.bench.rowsLeft(), errors.length]).toEqual([0, refused.length]));
        const stuck = await on.bench.stuck().list();
        expect(stuck.map(({ event: text }) => JSON.parse(text).data)).toEqual(refused);
        expect(stuck.map(({ code }) => code)).toEqual(refused.map(() => 'EVENT_TOO_LARGE'));
        expect(errors.map(({ message }) => message)).toEqual(
          stuck.map(({ id, reason }) => expect.stringMatching(new RegExp(`"${id}".*${reason}`))),
        );
      },
    );

    it.each([
      ['LOG_UNAVAILABLE', 'retrying'],
      ['TIMEOUT', 'retrying'],
      ['LOG_CLOSED', 'failed'],
      ['CONFIG_INVALID', 'failed'],
    ] as const)('[fault C4] [I-2] sets nothing aside while the log fails with %s', async (code, state) => {
      const ids = await addAll(2);
      let isAway = true;
      on.log.beforeAppend = () => {
        if (isAway) throw new PregonError(code, 'not now');
      };
      const { relay, errors } = relayOn();
      relay.start();
      await eventually(() => expect([relay.state, errors.length]).toEqual([state, 1]));
      expect([on.log.ids, await relay.pending(), await relay.stuck()]).toEqual([[], 2, 0]);
      isAway = false;
      await eventually(() => relay.start());
      await relayed(2);
      expect(on.log.ids).toEqual(ids);
    });

    it('[fault C4] [I-2] sets aside a row that holds no valid event, and relays the rows around it', async () => {
      const { relay, errors } = await startRelay({ pollIntervalMs: 10 });
      await add(1);
      await on.bench.addRow('{}');
      await add(2);
      await on.bench.addRow(
        JSON.stringify({
          specversion: '1.0',
          id: 'by SQL',
          source: '/',
          type: 'T'.repeat(300),
          topic: 'a',
          exchange: 'e',
        }),
      );
      await on.bench.addRow('[');
      await add(3);
      await relayed(3);
      await eventually(async () => expect([await relay.pending(), await relay.stuck()]).toEqual([0, 3]));
      expect(on.log.events.map(({ data }) => data)).toEqual([1, 2, 3]);
      const stuck = await on.bench.stuck().list();
      expect(stuck).toMatchObject([
        { id: undefined, code: 'EVENT_INVALID', event: '{}' },
        { id: 'by SQL', code: 'EVENT_INVALID', reason: expect.stringContaining('type has 300 bytes') },
        { id: undefined, code: 'EVENT_INVALID', event: '[' },
      ]);
      await eventually(() => expect(errors).toHaveLength(3));
      expect(errors[1]?.message).toMatch(/^event "by SQL" of .* was set aside: .*; see pregon outbox stuck$/);
    });

    it('[fault C5] relays an event of another program digit for digit', async () => {
      const attributes = '"specversion":"1.0","id":"by SQL","source":"/","type":"T","topic":"a","exchange":"e"';
      const others = '"n":1.0,"data":{"id":9007199254740993,"price":1.10,"huge":1e400,"zero":-0,"dup":1,"dup":2}';
      await startRelay({ pollIntervalMs: 10 });
      await on.bench.addRow(`{ ${attributes}, ${others} }`);
      await on.bench.addRow(`{${attributes},"data":1,"data":2}`);
      await eventually(async () => expect(await on.bench.stuck().count()).toBe(1));
      await relayed(1);
      expect(on.log.texts).toEqual([`{${attributes},${others},"sequence":"0000000000000001"}`]);
      const [refused] = await on.bench.stuck().list();
      expect(refused).toMatchObject({
        code: 'EVENT_INVALID',
        reason: expect.stringContaining('"data" is there twice'),
      });
    });

    it('[fault C4] sets them aside even if an older migration made no table for them', async () => {
      await on.bench.dropStuckTable();
      const { relay } = await startRelay({ pollIntervalMs: 10 });
      expect([await relay.stuck(), await on.bench.stuck().list(), await on.bench.stuck().retry('all')]).toEqual([
        0,
        [],
        0,
      ]);
      await on.bench.addRow('{}');
      await add(1);
      await relayed(1);
      await eventually(async () => expect([await relay.pending(), await relay.stuck()]).toEqual([0, 1]));
    });

    it('[fault C4] continues the sequences after rows that were set aside, also after the last one', async () => {
      refuse((data) => data === 'bad');
      const { relay } = await startRelay({ pollIntervalMs: 10 });
      for (const data of [1, 'bad', 2, 'bad', 'bad']) await add(data);
      await eventually(async () => expect(await relay.stuck()).toBe(3));
      expect(await on.bench.stuck().drop('all')).toBe(3);
      await add(3);
      await relayed(3);
      expect(sequences()).toEqual([1, 3, 6]);
    });

    it('[fault C4] [I-2] keeps the rows that were set aside if the outbox is recreated and its numbers repeat', async () => {
      refuse((data) => data !== 'good');
      const { relay } = await startRelay({ pollIntervalMs: 10 });
      await add('before');
      await eventually(async () => expect(await relay.stuck()).toBe(1));
      await relay.stop();
      await on.bench.restore();
      const again = on.bench.relay({ log: on.log, pollIntervalMs: 10, onError: () => {} });
      again.start();
      await add('after');
      await add('good');
      await relayed(1);
      await eventually(async () => expect([await again.pending(), await again.stuck()]).toEqual([0, 2]));
      const stuck = await on.bench.stuck().list();
      expect(stuck.map(({ sequence, event }) => [sequence, JSON.parse(event).data])).toEqual([
        [-1, 'after'],
        [1, 'before'],
      ]);
      expect(await on.bench.stuck().retry({ sequence: -1 })).toBe(1);
      await again.stop();
    });

    it('[fault C4] relays rows that are put back, one or all, and forgets rows that are dropped', async () => {
      refuse(() => true);
      const ids: string[] = [];
      const { relay } = await startRelay({ pollIntervalMs: 10 });
      for (const data of [1, 2, 3, 4, 5]) ids.push((await add(data)).id);
      const stuck = on.bench.stuck();
      await eventually(async () => expect(await relay.stuck()).toBe(5));
      expect((await stuck.list(2)).map(({ id }) => id)).toEqual(ids.slice(0, 2));
      on.log.beforeAppend = () => {};
      await add('after');
      await relayed(1);
      expect(await stuck.retry({ id: ids[1] ?? '' })).toBe(1);
      await relayed(2);
      expect(await stuck.drop({ sequence: 3 })).toBe(1);
      expect([await stuck.drop({ id: 'none' }), await stuck.retry({ sequence: 3 })]).toEqual([0, 0]);
      expect(await stuck.retry('all')).toBe(3);
      await relayed(5);
      expect(on.log.events.map(({ data }) => data)).toEqual(['after', 2, 1, 4, 5]);
      expect(sequences()).toEqual([6, 7, 8, 9, 10]);
      expect([await stuck.count(), await relay.stuck()]).toEqual([0, 0]);
      for (const choice of [undefined, null, {}, [], 5, { id: 5 }, { sequence: '5' }, { id: 'a', sequence: 1 }]) {
        await expect(async () => stuck.drop(Object(choice))).rejects.toThrow(TypeError);
      }
      await expect(async () => stuck.list(0)).rejects.toThrow(RangeError);
    });

    it('[fault C3] sets aside another event with an id that the log holds; a repetition is stored once', async () => {
      const { relay, errors } = await startRelay({ pollIntervalMs: 10 });
      const added = { ...event(1), id: 'user-1' };
      await on.bench.add(added);
      await relayed(1);
      await on.bench.add({ ...added, data: 2 });
      await on.bench.add(added);
      await add(3);
      await relayed(2);
      await eventually(async () => expect([await relay.pending(), await relay.stuck()]).toEqual([0, 1]));
      expect(on.log.events.map(({ data }) => data)).toEqual([1, 3]);
      expect(await on.bench.stuck().list()).toMatchObject([{ id: 'user-1', code: 'EVENT_ID_REUSED', sequence: 2 }]);
      await eventually(() => expect(errors.map(({ message }) => message)).toEqual([expect.stringMatching(/"user-1"/)]));
    });
  });
}
