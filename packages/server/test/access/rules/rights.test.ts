import { matchesTopic, topicWord } from '@pregon/protocol';
import { describe, expect, it } from 'vitest';
import { compileRules } from '../../../src/access/rules/compile-rules.js';
import type { Rule } from '../../../src/access/rules/rule.js';
import type { Identity } from '../../../src/core/ports/admission.js';
import type { Rights } from '../../../src/core/ports/rights.js';
import { assertAllowed } from '../../../src/core/topics/allowed-topics.js';
import { Random } from '../../../src/testing/random.js';

function rightsOf(rules: readonly Rule[], identity?: Identity): Rights {
  const answer = compileRules(rules, { issuers: ['shop'] }).rightsOf(identity);
  if ('status' in answer) throw new Error(`${answer.status}: ${answer.message}`);
  return answer;
}

describe('[H-03] Rights', () => {
  const rules: Rule[] = [{ subscribe: 'user.{sub}.#' }, { subscribe: 'org.{org}.#' }, { subscribe: 'public.#' }];

  it('of equal identities, whatever the token, are one object', () => {
    const compiled = compileRules(rules, { issuers: ['shop'] });
    const first = compiled.rightsOf({ iss: 'shop', sub: '42', claims: { org: 7, jti: 'a' }, expiresAtMs: 1 });
    expect(compiled.rightsOf({ iss: 'shop', sub: '42', claims: { org: '7', jti: 'b' }, expiresAtMs: 2 })).toBe(first);
    expect(compiled.rightsOf({ iss: 'shop', sub: '43', claims: { org: 7 } })).not.toBe(first);
  });

  it('of different identities are one object if they are equal', () => {
    const compiled = compileRules([{ subscribe: 'org.{org}' }, { subscribe: 'org.{team}' }], { issuers: ['shop'] });
    const first = compiled.rightsOf({ iss: 'shop', sub: '1', claims: { org: 'a' } });
    expect(compiled.rightsOf({ iss: 'shop', sub: '2', claims: { org: 'a' } })).toBe(first);
    expect(compiled.rightsOf({ iss: 'shop', sub: '3', claims: { team: 'a' } })).toBe(first);
    expect(compiled.rightsOf({ iss: 'shop', sub: '4', claims: { team: 'a', org: 'a' } })).toBe(first);
  });

  it('have equal keys exactly if they are equal', () => {
    const all: Rights[] = [
      rightsOf([{ subscribe: 'a', who: 'anyone' }]),
      rightsOf([
        { subscribe: 'a', who: 'anyone' },
        { send: 'a', who: 'anyone' },
      ]),
      rightsOf([{ send: 'a', who: 'anyone' }]),
      rightsOf([{ send: 'any', who: 'anyone' }]),
      rightsOf([{ send: '*', who: 'anyone' }]),
      rightsOf([{ publish: 'a', who: 'anyone' }]),
      rightsOf([{ publish: 'a', exchange: 'x', who: 'anyone' }]),
      rightsOf([{ publish: 'a', source: 'x', who: 'anyone' }]),
      rightsOf([{ broadcast: true, who: 'anyone' }]),
    ];
    expect(new Set(all.map(({ key }) => key)).size).toBe(all.length);
    const turned = rightsOf([
      { send: 'a', who: 'anyone' },
      { subscribe: 'a', who: 'anyone' },
    ]);
    expect(turned.key).toBe(all[1]?.key);
  });

  it('have short keys, however many patterns there are', () => {
    const many = Array.from({ length: 1_000 }, (_, at): Rule => ({ subscribe: `topic.${at}`, who: 'anyone' }));
    expect(rightsOf(many).key.length).toBeLessThanOrEqual(200);
    expect(rightsOf(many).key).toBe(rightsOf([...many].reverse()).key);
    expect(rightsOf(many).key).not.toBe(rightsOf(many.slice(1)).key);
  });

  it('list each pattern once, sorted, without those within another one', () => {
    const identity = { iss: 'shop', sub: 'a', claims: { org: 'a' } };
    const wide: Rule[] = [
      { subscribe: 'b.*' },
      { subscribe: 'b.#' },
      { subscribe: 'b.#' },
      { subscribe: '#.*.b' },
      { subscribe: '*.#.b' },
      { subscribe: 'user.{sub}.x' },
      { subscribe: 'user.{sub}.#' },
      { subscribe: 'user.{org}.#' },
      { subscribe: 'a.b', if: { org: 'a' } },
    ];
    expect(rightsOf(wide, identity).subscribe).toEqual(['*.#.b', 'b.#', 'user.a.#']);
    expect(rightsOf([...wide, { subscribe: '#' }], identity).subscribe).toEqual(['#']);
    // A rule that does not apply covers nothing.
    const other: Rule[] = [{ subscribe: 'b.*' }, { subscribe: 'b.#', if: { org: 'b' } }];
    expect(rightsOf(other, identity).subscribe).toEqual(['b.*']);
  });

  it('cannot be changed', () => {
    const rights = rightsOf(rules, { iss: 'shop', sub: '1' });
    expect(Object.isFrozen(rights) && Object.isFrozen(rights.subscribe) && Object.isFrozen(rights.publish)).toBe(true);
  });

  it('are found within microseconds', () => {
    const compiled = compileRules([...rules, { send: 'bid', if: { role: ['admin'] } }], { issuers: ['shop'] });
    const identities = Array.from(
      { length: 1_000 },
      (_, at): Identity => ({
        iss: 'shop',
        sub: `user-${at}`,
        claims: { org: at % 10, role: ['user', 'admin'] },
      }),
    );
    const microsecondsEach = () => {
      const since = process.cpuUsage();
      for (let round = 0; round < 10; round++) for (const identity of identities) compiled.rightsOf(identity);
      const { user, system } = process.cpuUsage(since);
      return (user + system) / (10 * identities.length);
    };
    // The first round makes the rights.
    microsecondsEach();
    const times = [microsecondsEach(), microsecondsEach(), microsecondsEach()];
    console.info(`rightsOf: ${Math.min(...times).toFixed(2)} µs of CPU`);
    expect(Math.min(...times)).toBeLessThan(50);
  });
});

describe('[H-03] A subscription', () => {
  const rights = rightsOf([{ subscribe: 'user.{sub}.#' }, { subscribe: 'public.*' }], { iss: 'shop', sub: '42' });

  it.each([[undefined], [['#']], [[]], [['user.42.#']], [['user.42', 'public.a']], [['public.*', 'user.42.*.x']]])(
    'to %j is allowed',
    (topics) => {
      expect(() => assertAllowed(topics, rights)).not.toThrow();
    },
  );

  it.each([
    [['user.43.#'], 'user.43.#'],
    [['public.a', 'user.#', 'x'], 'user.#'],
    [['#', '#'], '#'],
    [['#', 'public.a'], '#'],
    [['*.#'], '*.#'],
    [['#.#'], '#.#'],
    [['public.#'], 'public.#'],
  ])('to %j is forbidden, and the error names %s alone', (topics, pattern) => {
    expect(() => assertAllowed(topics, rights)).toThrow(
      expect.objectContaining({ code: 'FORBIDDEN', retryable: false, message: `not allowed: "${pattern}"` }),
    );
  });

  it('to all that is allowed is possible if that is nothing', () => {
    const sender = rightsOf([{ send: 'bid' }], { iss: 'shop', sub: '42' });
    expect(() => assertAllowed(undefined, sender)).not.toThrow();
    expect(() => assertAllowed(['a'], sender)).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }));
  });
});

describe('[H-03] [I-9] A topic is delivered', () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const random = new Random(seed);
  const claimNames = ['sub', 'iss', 'org', 'team.id'];
  const values = ['a', 'b', 'a.b', '*.', 'A'];

  const anyTemplate = () =>
    random.list(1, 4, () => random.pick('a', 'b', '*', '#', ...claimNames.map((name) => `{${name}}`))).join('.');

  function anyRule(): Rule {
    const subscribe = anyTemplate();
    if (!subscribe.includes('{') && random.integer(0, 2) === 0) return { subscribe, who: 'anyone' };
    const issuer = random.pick('shop', 'forum');
    if (random.integer(0, 1) === 0) return { subscribe, issuer };
    return { subscribe, issuer, if: { role: random.list(1, 2, () => random.pick('x', 'y')) } };
  }

  function anyIdentity(): Identity | undefined {
    if (random.integer(0, 9) === 0) return undefined;
    const claims: Record<string, unknown> = {};
    if (random.integer(0, 3) > 0) claims['org'] = random.pick<unknown>('a', 'b', 'a.b', 7);
    if (random.integer(0, 3) > 0) claims['team'] = random.pick<unknown>({ id: 'a' }, { id: '*.' }, {}, 'a');
    if (random.integer(0, 3) > 0) claims['role'] = random.pick<unknown>('x', ['x', 'z'], ['y'], 'z');
    return { iss: random.pick('shop', 'forum'), sub: random.pick('a', ...values), claims };
  }

  const anyTopic = () =>
    random.list(1, 4, () => random.pick('a', 'b', 'shop', 'forum', 'c', '7', ...values.map(topicWord))).join('.');

  /** The rule as its documentation says it. */
  function grants(rule: Rule, identity: Identity | undefined, topic: string): boolean {
    if (!identity) return rule.who === 'anyone' && matchesTopic(rule.subscribe ?? '', topic);
    if (rule.issuer !== undefined && rule.issuer !== identity.iss) return false;
    const { iss, sub, claims = {} } = identity;
    const wanted = rule.if?.['role'];
    if (wanted !== undefined && ![wanted].flat().some((value) => [claims['role']].flat().includes(value))) return false;
    const team = claims['team'];
    const id = typeof team === 'object' && team !== null && 'id' in team ? team.id : undefined;
    const claimed: Readonly<Record<string, unknown>> = {
      '{iss}': iss,
      '{sub}': sub,
      '{org}': claims['org'],
      '{team.id}': id,
    };
    let pattern = rule.subscribe ?? '';
    for (const [variable, value] of Object.entries(claimed)) {
      if (!pattern.includes(variable)) continue;
      if (value === undefined) return false;
      pattern = pattern.replaceAll(variable, () => topicWord(String(value)));
    }
    return matchesTopic(pattern, topic);
  }

  it('under the rights of an identity exactly if one rule that applies grants a pattern that matches it', () => {
    let delivered = 0;
    for (let run = 0; run < 2_000; run++) {
      const rules = random.list(0, 6, anyRule);
      const identity = anyIdentity();
      const rights = compileRules(rules, { issuers: ['shop', 'forum'] }).rightsOf(identity);
      for (const topic of random.list(20, 20, anyTopic)) {
        const isDelivered = !('status' in rights) && rights.subscribe.some((pattern) => matchesTopic(pattern, topic));
        const expected = rules.some((rule) => grants(rule, identity, topic));
        if (expected) delivered += 1;
        if (isDelivered !== expected) expect.fail(JSON.stringify({ seed, rules, identity, topic, rights, expected }));
        // What may be delivered may also be asked for.
        if (expected && !('status' in rights)) expect(() => assertAllowed([topic], rights)).not.toThrow();
        else if (!('status' in rights)) expect(() => assertAllowed([topic], rights)).toThrow('not allowed');
      }
    }
    expect(delivered).toBeGreaterThan(1_000);
  });
});
