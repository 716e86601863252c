import { matchesTopic } from '@pregon/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CompiledFilter } from '../../../src/core/topics/compiled-filter.js';
import { createFilter, passes } from '../../../src/core/topics/filter.js';
import { entry } from '../support/entries.js';
import { event } from '../support/square.js';

const names = fc.uniqueArray(fc.constantFrom<string>('one', 'two', 'three'), { maxLength: 3 });
const patterns = fc.array(fc.constantFrom('#', 'a', 'a.*', '*.b', 'a.#', 'c'), { minLength: 1, maxLength: 4 });
const want = fc.record({ topics: patterns, allowed: patterns, exchanges: names, types: names }, { requiredKeys: [] });

describe('a filter', () => {
  it('accepts events that match its topics, the topics of the route, its exchanges and its types', () => {
    const topic = fc.constantFrom('a', 'a.b', 'c.b', 'c', 'a.b.c');
    const name = fc.constantFrom('one', 'two', 'four');
    fc.assert(
      fc.property(want, topic, name, name, (wanted, of, exchange, type) => {
        const { topics = ['#'], allowed = ['#'], exchanges, types } = wanted;
        const held = entry(1, event(of, { exchange, type }));
        const filter = createFilter(wanted);
        const rest =
          allowed.some((one) => matchesTopic(one, of)) &&
          (exchanges === undefined || exchanges.includes(exchange)) &&
          (types === undefined || types.includes(type));
        expect(passes(filter, held)).toBe(rest);
        expect(new CompiledFilter(filter).matches(held)).toBe(rest && topics.some((one) => matchesTopic(one, of)));
      }),
      { numRuns: 500 },
    );
  });

  it('[000-13] accepts all types if its types contain *', () => {
    expect(createFilter({ types: ['UserWasCreated', '*'] }).types).toBeUndefined();
  });

  it('has one key, however its patterns are ordered or repeated', () => {
    fc.assert(
      fc.property(want, ({ topics, allowed, exchanges, types }) => {
        const shuffled = <T>(list: readonly T[] | undefined) => list && [...list, ...list].reverse();
        const other = createFilter({
          topics: shuffled(topics),
          allowed: shuffled(allowed),
          exchanges: shuffled(exchanges),
          types: shuffled(types),
        });
        expect(other.key).toBe(createFilter({ topics, allowed, exchanges, types }).key);
      }),
    );
  });

  it('has another key if it differs in requested topics, allowed topics, exchanges or types', () => {
    const filters = [
      createFilter({}),
      createFilter({ topics: ['a'] }),
      createFilter({ allowed: ['a'] }),
      createFilter({ exchanges: ['a'] }),
      createFilter({ types: ['a'] }),
      createFilter({ exchanges: [] }),
      createFilter({ topics: ['a', 'b'] }),
      createFilter({ topics: ['a"],["b'] }),
    ];
    expect(new Set(filters.map(({ key }) => key)).size).toBe(filters.length);
  });
});
