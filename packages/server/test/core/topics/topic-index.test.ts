import { matchesTopic } from '@pregon/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TopicIndex } from '../../../src/core/topics/topic-index.js';
import { collectGarbage } from '../support/garbage.js';

const word = fc.constantFrom('a', 'b', 'c');
const topic = fc.array(word, { minLength: 1, maxLength: 6 }).map((words) => words.join('.'));
const pattern = fc
  .array(fc.oneof(word, fc.constant('*'), fc.constant('#')), { minLength: 1, maxLength: 6 })
  .map((words) => words.join('.'));

function collect<T extends NonNullable<unknown>>(index: TopicIndex<T>, of: string): T[] {
  const found = new Set<T>();
  index.collect(of, found);
  return [...found];
}

describe('TopicIndex', () => {
  it('agrees with matchesTopic, through any additions and deletions', () => {
    const change = fc.record({ add: fc.boolean(), pattern, value: fc.nat(4) });
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 40 }),
        fc.array(topic, { minLength: 1, maxLength: 5 }),
        (all, topics) => {
          const index = new TopicIndex<number>();
          const model = new Map<string, { pattern: string; value: number }>();
          for (const one of all) {
            const key = `${one.value} ${one.pattern}`;
            if (one.add) {
              index.add(one.pattern, one.value);
              model.set(key, one);
            } else {
              index.delete(one.pattern, one.value);
              model.delete(key);
            }
          }
          for (const of of topics) {
            const expected = [...model.values()]
              .filter((one) => matchesTopic(one.pattern, of))
              .map(({ value }) => value);
            expect(collect(index, of).sort()).toEqual([...new Set(expected)].sort());
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('[I-7] leaves no nodes behind when everything is deleted', async () => {
    const index = new TopicIndex<object>();
    const value = {};
    await collectGarbage();
    const before = process.memoryUsage().heapUsed;
    // If they were kept, their nodes would take 100 MB.
    for (let n = 0; n < 100_000; n++) {
      for (const one of [`user.${n}.*`, `*.${n}.#`]) {
        index.add(one, value);
        index.delete(one, value);
      }
    }
    await collectGarbage();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(10_000_000);
    expect(collect(index, 'user.7.created')).toEqual([]);
  });

  it('does not change when an unknown entry is deleted', () => {
    const index = new TopicIndex<string>();
    index.add('a.b', 'x');
    index.delete('a', 'x');
    index.delete('a.b.c', 'x');
    index.delete('a.b', 'y');
    index.delete('#', 'x');
    expect(collect(index, 'a.b')).toEqual(['x']);
  });

  it('[I-8] takes no longer for a pattern that is designed to be costly', () => {
    const index = new TopicIndex<number>();
    const costly = [`${'#.'.repeat(126)}x`, `${'#.a.'.repeat(60)}x`, `${'#.*.'.repeat(60)}x`, `${'*.#.'.repeat(60)}x`];
    for (const [value, one] of costly.entries()) index.add(one, value);
    const topics = ['a.b.c.d.e', 'a.'.repeat(60).slice(0, -1), `${'a.'.repeat(126)}x`];
    const began = performance.now();
    for (const of of topics) collect(index, of);
    for (const one of costly) for (const of of topics) matchesTopic(one, of);
    // This takes some milliseconds; exponential matching would not end in a lifetime.
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(collect(index, `${'a.'.repeat(126)}x`).sort()).toEqual([0, 1, 2, 3]);
  });
});
