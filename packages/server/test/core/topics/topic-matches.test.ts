import { matchesTopic } from '@pregon/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TopicMatches } from '../../../src/core/topics/topic-matches.js';

const word = fc.constantFrom('a', 'b');
const topic = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join('.'));
const pattern = fc
  .array(fc.oneof(word, fc.constant('*'), fc.constant('#')), { minLength: 1, maxLength: 3 })
  .map((words) => words.join('.'));

describe('TopicMatches', () => {
  it('remembers nothing that is outdated: between any two changes, its answers agree with matchesTopic', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('ask' as const), topic }),
      fc.record({ kind: fc.constantFrom('add' as const, 'delete' as const), pattern, value: fc.nat(3) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const matches = new TopicMatches<number>();
        const model = new Map<string, { pattern: string; value: number }>();
        for (const one of steps) {
          if (one.kind === 'ask') {
            const wanted = [...model.values()].filter((each) => matchesTopic(each.pattern, one.topic));
            expect([...matches.of(one.topic)].sort()).toEqual([...new Set(wanted.map(({ value }) => value))].sort());
            continue;
          }
          const key = `${one.value} ${one.pattern}`;
          matches[one.kind](one.pattern, one.value);
          if (one.kind === 'add') model.set(key, one);
          else model.delete(key);
        }
      }),
    );
  });

  it('[I-7] remembers a limited number of topics, so that endless topics cost no memory', () => {
    const matches = new TopicMatches<number>();
    for (let value = 0; value < 100; value++) matches.add('#', value);
    const first = matches.of('topic.0');
    expect(matches.of('topic.0')).toBe(first);
    for (let n = 1; n < 1_000; n++) expect(matches.of(`topic.${n}`)).toHaveLength(100);
    expect(matches.of('topic.0')).not.toBe(first);
  });
});
