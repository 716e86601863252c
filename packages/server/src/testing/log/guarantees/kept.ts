import { KEPT_LIMITS } from '../../../core/ports/kept.js';
import { expect } from '../../assertions/expect.js';
import type { TestRunner } from '../../runner.js';
import { numbered } from '../events.js';
import type { TestedCapabilities } from '../log-kind.js';
import type { Open } from '../open.js';
import { followKept, valuesOf } from './kept-follower.js';

/** The guarantees of {@link Kept}. */
export function describeKept({ describe, it }: TestRunner, open: Open, can: TestedCapabilities): void {
  describe('kept', () => {
    it('[I-10] returns values that were put, and no deleted ones', async () => {
      const { kept } = (await open()).log;
      expect(valuesOf(await kept.all())).toEqual({});
      await kept.put('a', '1');
      await kept.put('b', '2');
      await kept.put('a', '3');
      expect(valuesOf(await kept.all())).toEqual({ a: '3', b: '2' });
      await kept.delete('a');
      await kept.delete('never there');
      expect(valuesOf(await kept.all())).toEqual({ b: '2' });
    });

    it('leaves out expired values, and returns when the others expire', async () => {
      const { kept } = (await open()).log;
      const later = Date.now() + 3_600_000;
      await kept.put('past', '1', { expiresAt: Date.now() - 1 });
      await kept.put('future', '2', { expiresAt: later });
      await kept.put('forever', '3');
      const all = await kept.all();
      expect([...all.keys()].sort()).toEqual(['forever', 'future']);
      expect(all.get('future')).toEqual({ value: '2', expiresAt: later });
      expect(all.get('forever')).toEqual({ value: '3', expiresAt: undefined });
    });

    it('keeps hostile texts unchanged', async () => {
      const { kept } = (await open()).log;
      const texts = ['"', '\n', '\0', '\ud800', '__proto__', 'é', 'constructor'];
      for (const text of texts) await kept.put(text, text);
      const all = await kept.all();
      expect([...all.keys()].sort()).toEqual([...texts].sort());
      for (const text of texts) expect(all.get(text)?.value).toBe(text);
    });

    it('refuses an empty key, an invalid time, and keys and values that are too long', async () => {
      const { kept } = (await open()).log;
      await kept.put('k'.repeat(KEPT_LIMITS.keyBytes), 'é'.repeat(KEPT_LIMITS.valueBytes / 2));
      await expect(kept.put('', '1')).rejects.toThrow(RangeError);
      await expect(kept.put('k'.repeat(KEPT_LIMITS.keyBytes + 1), '1')).rejects.toThrow(RangeError);
      await expect(kept.put('a', 'é'.repeat(KEPT_LIMITS.valueBytes / 2 + 1))).rejects.toThrow(RangeError);
      await expect(kept.put('a', '1', { expiresAt: 0.5 })).rejects.toThrow(RangeError);
      expect((await kept.all()).size).toBe(1);
    });

    it('tells a follower the current state, then each change', async () => {
      const { kept } = (await open()).log;
      await kept.put('a', '1');
      const told = await followKept(kept);
      expect(told.states).toEqual([{ a: '1' }]);
      await kept.put('b', '2');
      await told.until({ a: '1', b: '2' });
      await kept.delete('a');
      await told.until({ b: '2' });
      await told.stop();
      const count = told.states.length;
      await kept.put('c', '3');
      await kept.all();
      expect(told.states).toHaveLength(count);
    });

    it('[I-7] tells a follower which keys changed, and the changes lead from each state to the next', async () => {
      const { kept } = (await open()).log;
      await Promise.all(Array.from({ length: 250 }, (_, n) => kept.put(`key-${n}`, 'first')));
      const told = await followKept(kept);
      expect(told.changes).toEqual([undefined]);
      await kept.put('key-7', 'second');
      await kept.delete('key-8');
      await kept.put('new', 'third', { expiresAt: Date.now() + 3_600_000 });
      await expect.poll(() => told.states.at(-1)?.['new']).toEqual('third');
      const keys = told.changes.slice(1).flatMap((changes) => [...(changes?.keys() ?? ['all'])]);
      expect(keys.sort()).toEqual(['key-7', 'key-8', 'new']);
      expect(told.contradictions).toEqual([]);
      expect(told.states.at(-1)).toEqual(valuesOf(await kept.all()));
    });

    it('[I-7] leads a follower to the current state after many changes in quick succession', async () => {
      const { kept } = (await open()).log;
      const told = await followKept(kept);
      const changes = Array.from({ length: 300 }, (_, n) =>
        n % 3 === 2 ? kept.delete(`key-${n % 40}`) : kept.put(`key-${n % 50}`, String(n)),
      );
      await Promise.all(changes);
      await told.until(valuesOf(await kept.all()));
      expect(told.contradictions).toEqual([]);
    });

    it('returns a state that later changes do not modify', async () => {
      const { kept } = (await open()).log;
      await kept.put('a', '1');
      const before = await kept.all();
      await kept.put('a', '2');
      await kept.put('b', '3');
      expect(valuesOf(before)).toEqual({ a: '1' });
      expect(valuesOf(await kept.all())).toEqual({ a: '2', b: '3' });
    });

    it('tells a follower every change after a second follower joins', async () => {
      const { kept } = (await open()).log;
      const first = await followKept(kept);
      await kept.put('a', '1');
      const second = await followKept(kept);
      expect(second.states[0]).toEqual({ a: '1' });
      await kept.put('b', '2');
      for (const told of [first, second]) {
        await told.until({ a: '1', b: '2' });
        expect(told.contradictions).toEqual([]);
      }
    });

    it('appends no entry to the log', async () => {
      const { log } = await open();
      await log.append([numbered(1)]);
      const head = await log.head();
      await log.kept.put('a', '1');
      expect(await log.head()).toEqual(head);
    });

    it('refuses every call after close', async () => {
      const { log } = await open();
      await log.kept.all();
      await log.close();
      const closed = { code: 'LOG_CLOSED' };
      await expect(log.kept.put('a', '1')).rejects.toMatchObject(closed);
      await expect(log.kept.delete('a')).rejects.toMatchObject(closed);
      await expect(log.kept.all()).rejects.toMatchObject(closed);
      await expect(log.kept.follow(() => {})).rejects.toMatchObject(closed);
    });

    if (can.another) describeShared({ describe, it }, open);
    if (can.durable) {
      it('[I-10] [I-11] keeps its values after all handles are closed, whatever retention drops', async () => {
        const subject = await open();
        await subject.log.kept.put('a', '1');
        await subject.log.append([numbered(1)]);
        if (can.trim) await subject.trim(0);
        const { kept } = await subject.reopen();
        expect(valuesOf(await kept.all())).toEqual({ a: '1' });
      });
    }
    if (!can.replace) return;
    it('[I-4] tells a follower the values of the new log when the log is replaced', async () => {
      const { log, replace } = await open();
      await log.kept.put('a', '1');
      const told = await followKept(log.kept);
      await replace();
      await told.until({});
      expect(told.contradictions).toEqual([]);
      await log.kept.put('b', '2');
      await told.until({ b: '2' });
    });
  });
}

function describeShared({ it }: TestRunner, open: Open): void {
  it('[I-11] shows changes of one process to all others at once, and to followers', async () => {
    const { log, another } = await open();
    const other = (await another()).kept;
    const told = await followKept(other);
    for (let n = 1; n <= 5; n++) {
      await log.kept.put('n', String(n));
      expect(valuesOf(await other.all())).toEqual({ n: String(n) });
    }
    await told.until({ n: '5' });
    await log.kept.delete('n');
    expect(valuesOf(await other.all())).toEqual({});
    await told.until({});
    expect(told.contradictions).toEqual([]);
  });

  it('[I-7] tells a follower only the changes that another process made', async () => {
    const { log, another } = await open();
    const other = (await another()).kept;
    await Promise.all(Array.from({ length: 250 }, (_, n) => other.put(`key-${n}`, 'first')));
    const told = await followKept(log.kept);
    await other.put('key-7', 'second');
    await other.delete('key-8');
    await expect.poll(() => told.states.at(-1)?.['key-8']).toEqual(undefined);
    const keys = told.changes.slice(1).flatMap((changes) => [...(changes?.keys() ?? ['all'])]);
    expect(keys.sort()).toEqual(['key-7', 'key-8']);
    expect(told.contradictions).toEqual([]);
  });

  it('keeps all values that several processes put at the same time', async () => {
    const { log, another } = await open();
    const handles = [log, await another(), await another()];
    await Promise.all(
      handles.flatMap(({ kept }, handle) =>
        Array.from({ length: 10 }, (_, index) => kept.put(`${handle}-${index}`, String(index))),
      ),
    );
    for (const { kept } of handles) expect((await kept.all()).size).toBe(30);
  });
}
