import { matchesTopic } from '@pregon/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileRules } from '../../../src/access/rules/compile-rules.js';
import { explainTopic } from '../../../src/access/rules/explain-topic.js';
import type { Rule } from '../../../src/access/rules/rule.js';
import type { Identity } from '../../../src/core/ports/admission.js';

const ISSUERS = { issuers: ['shop', 'bank'] };

const pattern = fc.array(fc.constantFrom('a', 'b', '*', '#'), { minLength: 1, maxLength: 3 }).map((w) => w.join('.'));
const template = fc.tuple(pattern, fc.constantFrom('{sub}', '{org.id}')).map(([start, end]) => `${start}.${end}`);
const issuer = fc.constantFrom('shop', 'bank');

const rule: fc.Arbitrary<Rule> = fc.oneof(
  fc.record({ subscribe: pattern }),
  fc.record({ subscribe: pattern, who: fc.constant('anyone' as const) }),
  fc.record({ subscribe: template, issuer }),
  fc.record({ subscribe: pattern, issuer, if: fc.constant({ role: ['admin', 'owner'] }) }),
  fc.record({ send: fc.constant('bid') }),
);

const identity: fc.Arbitrary<Identity | undefined> = fc.option(
  fc.record({
    iss: issuer,
    sub: fc.constantFrom('a', 'b'),
    claims: fc.record(
      { role: fc.constantFrom('admin', 'guest'), org: fc.record({ id: fc.constantFrom('a', '#', 7) }) },
      { requiredKeys: [] },
    ),
  }),
  { nil: undefined },
);

const topic = fc.array(fc.constantFrom('a', 'b', '7'), { minLength: 1, maxLength: 4 }).map((words) => words.join('.'));

describe('explainTopic', () => {
  it('[H-03] names a granting rule exactly if the rights have a pattern that matches the topic', () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 5 }), identity, topic, (rules, client, asked) => {
        const rights = compileRules(rules, ISSUERS).rightsOf(client);
        fc.pre(!('status' in rights));
        const isGranted = rights.subscribe.some((one) => matchesTopic(one, asked));
        const verdicts = explainTopic(rules, ISSUERS, client, asked);
        expect(verdicts.map(({ index }) => index)).toEqual(rules.map((_, index) => index));
        expect(verdicts.some(({ grants }) => grants)).toBe(isGranted);
      }),
      { numRuns: 2_000 },
    );
  });

  it('[H-03] says for each rule why it does not grant a topic', () => {
    const rules: Rule[] = [
      { subscribe: 'a.#', issuer: 'bank' },
      { subscribe: 'org.{org.id}', issuer: 'shop' },
      { subscribe: 'user.{name}', issuer: 'shop' },
      { subscribe: 'a', issuer: 'shop', if: { role: ['admin', 'owner'] } },
      { send: 'bid' },
    ];
    const client = { iss: 'shop', sub: '42', claims: { org: { id: '#' } } };
    expect(explainTopic(rules, ISSUERS, client, 'a').map(({ why }) => why)).toEqual([
      'it is for the issuer "bank"',
      'the claim "org.id" cannot be a word of a topic',
      'the token has no claim "name"',
      'the claim "role" is not admin or owner',
      'it is not about topics to subscribe to',
    ]);
    expect(explainTopic(rules, ISSUERS, undefined, 'a')[0]?.why).toBe('it needs a token');
  });
});
