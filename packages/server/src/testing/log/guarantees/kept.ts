import { KEPT_LIMITS, type Kept, type KeptState } from '../../../core/ports/kept.js';
import { expect } from '../../assertions/expect.js';
import type { TestRunner } from '../../runner.js';
import { numbered } from '../events.js';
import type { TestedCapabilities } from '../log-kind.js';
import type { Open } from '../open.js';

/** What a log keeps outside retention. */
export function describeKept({ describe, it }: TestRunner, open: Open, can: TestedCapabilities): void {
  describe('kept', () => {
    it('[I-10] has what was put, and not what was deleted', async () => {
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

    it('leaves out what has expired, and says when the rest does', async () => {
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

    it('keeps hostile texts as they are', async () => {
      const { kept } = (await open()).log;
      const texts = ['"', '\n', '\0', '\ud800', '__proto__', 'é', 'constructor'];
      for (const text of texts) await kept.put(text, text);
      const all = await kept.all();
      expect([...all.keys()].sort()).toEqual([...texts].sort());
      for (const text of texts) expect(all.get(text)?.value).toBe(text);
    });

    it('refuses what is no key, value or time, and what is too long', async () => {
      const { kept } = (await open()).log;
      await kept.put('k'.repeat(KEPT_LIMITS.keyBytes), 'é'.repeat(KEPT_LIMITS.valueBytes / 2));
      await expect(kept.put('', '1')).rejects.toThrow(RangeError);
      await expect(kept.put('k'.repeat(KEPT_LIMITS.keyBytes + 1), '1')).rejects.toThrow(RangeError);
      await expect(kept.put('a', 'é'.repeat(KEPT_LIMITS.valueBytes / 2 + 1))).rejects.toThrow(RangeError);
      await expect(kept.put('a', '1', { expiresAt: 0.5 })).rejects.toThrow(RangeError);
      expect((await kept.all()).size).toBe(1);
    });

    it('tells a follower the present state, then each change', async () => {
      const { kept } = (await open()).log;
      await kept.put('a', '1');
      const told = await follow(kept);
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

    it('costs no entry of the log, and a follower of the log is told nothing of it', async () => {
      const { log } = await open();
      await log.append([numbered(1)]);
      const head = await log.head();
      await log.kept.put('a', '1');
      expect(await log.head()).toEqual(head);
    });

    it('is refused after close', async () => {
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
      it('[I-10] [I-11] is there after all who had the log open are gone, and no retention drops it', async () => {
        const subject = await open();
        await subject.log.kept.put('a', '1');
        await subject.log.append([numbered(1)]);
        if (can.trim) await subject.trim(0);
        const { kept } = await subject.reopen();
        expect(valuesOf(await kept.all())).toEqual({ a: '1' });
      });
    }
    if (!can.replace) return;
    it('[I-4] goes with the log: what another log in its place keeps is told', async () => {
      const { log, replace } = await open();
      await log.kept.put('a', '1');
      const told = await follow(log.kept);
      await replace();
      await told.until({});
      await log.kept.put('b', '2');
      await told.until({ b: '2' });
    });
  });
}

function describeShared({ it }: TestRunner, open: Open): void {
  it('[I-11] is one set for all processes: each sees at once what another has put, and followers are told', async () => {
    const { log, another } = await open();
    const other = (await another()).kept;
    const told = await follow(other);
    for (let n = 1; n <= 5; n++) {
      await log.kept.put('n', String(n));
      expect(valuesOf(await other.all())).toEqual({ n: String(n) });
    }
    await told.until({ n: '5' });
    await log.kept.delete('n');
    expect(valuesOf(await other.all())).toEqual({});
    await told.until({});
  });

  it('has all that several processes put at once', async () => {
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

function valuesOf(state: KeptState): Record<string, string> {
  return Object.fromEntries([...state].map(([key, { value }]) => [key, value]));
}

async function follow(kept: Kept) {
  const states: Record<string, string>[] = [];
  const stop = await kept.follow((state) => states.push(valuesOf(state)));
  const until = (state: Record<string, string>) => expect.poll(() => states.at(-1)).toEqual(state);
  return { states, stop, until };
}
