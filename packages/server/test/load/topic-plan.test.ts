import { describe, expect, it } from 'vitest';
import { TopicPlan } from '../../src/load/topic-plan.js';

/** The numbers below `count` that a connection must get. */
function numbersOf(plan: TopicPlan, connection: number, count: number): number[] {
  const turns = plan.turnsOf(connection);
  return Array.from({ length: count }, (_, number) => number).filter((number) => turns.has(number));
}

describe('TopicPlan', () => {
  it('gives all events to all connections if there are no topics, and publishes to one topic', () => {
    const plan = new TopicPlan({ connections: 2, topics: [] });
    expect([plan.patternsOf(1), plan.published, numbersOf(plan, 1, 3)]).toEqual([undefined, ['bench'], [0, 1, 2]]);
  });

  it('publishes to a topic that each pattern matches', () => {
    const plan = new TopicPlan({ connections: 1, topics: ['user.#', 'bid.*.placed', 'user.#'] });
    expect(plan.published).toEqual(['user.bench', 'bid.bench.placed']);
    expect(numbersOf(plan, 0, 4)).toEqual([0, 1, 2, 3]);
  });

  it('expands {1..5} to each number, and gives each connection the next patterns', () => {
    const plan = new TopicPlan({ connections: 3, topics: ['user.{1..5}.#'], perConnection: 2 });
    expect([0, 1, 2].map((connection) => plan.patternsOf(connection))).toEqual([
      ['user.1.#', 'user.2.#'],
      ['user.3.#', 'user.4.#'],
      ['user.5.#', 'user.1.#'],
    ]);
    expect(plan.published).toHaveLength(5);
    expect(numbersOf(plan, 2, 12)).toEqual([0, 4, 5, 9, 10]);
    expect(plan.turnsOf(0)).toBe(plan.turnsOf(0));
  });

  it('replaces {n} by the number of the connection', () => {
    const plan = new TopicPlan({ connections: 3, topics: ['user.{n}.#'] });
    expect(plan.patternsOf(2)).toEqual(['user.3.#']);
    expect(plan.published).toEqual(['user.1.bench', 'user.2.bench', 'user.3.bench']);
    expect(numbersOf(plan, 1, 7)).toEqual([1, 4]);
  });

  it('publishes to the named topics, whichever connections want them', () => {
    const plan = new TopicPlan({ connections: 2, topics: ['a.#', 'b.1.#'], publishTopics: ['a.x', 'b.{1..2}.x', 'c'] });
    expect(plan.published).toEqual(['a.x', 'b.1.x', 'b.2.x', 'c']);
    expect(numbersOf(plan, 0, 8)).toEqual([0, 1, 4, 5]);
  });

  it.each([
    [{ topics: ['u.{1..200000}'] }, /\{1\.\.200000\} is not a range/],
    [{ topics: ['u.{3..2}'] }, /is not a range/],
    [{ topics: ['{1..1000}.{1..1000}'], perConnection: 1 }, /expands to too many topics/],
    [{ topics: ['u.{1..1001}'] }, /at most 1000 patterns, not 1001.*--topics-per-connection/],
    [{ topics: ['u.{1..3}'], perConnection: 4 }, /--topics-per-connection=4 is more than the 3 patterns in --topics/],
    [{ topics: ['u.{1..3}.{n}'], perConnection: 1, connections: 90_000 }, /--topics expands to 270000 patterns/],
  ])('refuses unreasonable options: %j', (options, message) => {
    expect(() => new TopicPlan({ connections: 1, ...options })).toThrow(message);
  });

  it('refuses an invalid pattern, and an invalid topic', () => {
    expect(() => new TopicPlan({ connections: 1, topics: ['a..b'] })).toThrow(/not a topic pattern/);
    expect(() => new TopicPlan({ connections: 1, topics: [], publishTopics: ['a.#'] })).toThrow(/not a topic/);
  });
});
