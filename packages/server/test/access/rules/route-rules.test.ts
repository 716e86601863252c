import { describe, expect, it } from 'vitest';
import { compileRules } from '../../../src/access/rules/compile-rules.js';
import { mayPublish } from '../../../src/access/rules/may-publish.js';
import type { Rule } from '../../../src/access/rules/rule.js';
import type { Identity, Refusal } from '../../../src/core/ports/admission.js';
import type { Rights } from '../../../src/core/ports/rights.js';

const ISSUERS = ['shop'];

function answerOf(rules: readonly Rule[], identity: Identity | undefined, issuers = ISSUERS): Rights | Refusal {
  return compileRules(rules, { issuers }).rightsOf(identity);
}

function rightsOf(rules: readonly Rule[], identity: Identity | undefined, issuers = ISSUERS): Rights {
  const answer = answerOf(rules, identity, issuers);
  if ('status' in answer) throw new Error(`${answer.status}: ${answer.message}`);
  return answer;
}

/** A client of the issuer `shop`. */
function ada(claims: Readonly<Record<string, unknown>> = {}, sub = 'ada'): Identity {
  return { iss: 'shop', sub, claims };
}

const PUBLIC: Rule = { subscribe: 'public.#', who: 'anyone' };

describe('[H-03] Rules', () => {
  it('grant the topics of the identity', () => {
    const rules: Rule[] = [PUBLIC, { subscribe: 'user.{sub}.#', issuer: 'shop' }];
    expect(rightsOf(rules, ada()).subscribe).toEqual(['public.#', 'user.ada.#']);
    expect(rightsOf(rules, ada({}, 'bob')).subscribe).toEqual(['public.#', 'user.bob.#']);
    expect(rightsOf(rules, undefined).subscribe).toEqual(['public.#']);
  });

  it('encode a claim as one word of a topic', () => {
    const rules: Rule[] = [{ subscribe: 'user.{sub}.#' }];
    expect(rightsOf(rules, ada({}, 'ada@example.com')).subscribe).toEqual(['user.ada@example%2Ecom.#']);
    expect(rightsOf(rules, ada({}, 'a.#')).subscribe).toEqual(['user.a%2E%23.#']);
    expect(rightsOf(rules, ada({}, '{org}')).subscribe).toEqual(['user.{org}.#']);
  });

  it('reach nested claims by a path, and claims whose names have dots', () => {
    const rules: Rule[] = [{ subscribe: 'org.{org.id}.#' }, { subscribe: 'team.{https://shop.example/team}' }];
    const claims = { org: { id: 7 }, 'https://shop.example/team': 'red' };
    expect(rightsOf(rules, ada(claims)).subscribe).toEqual(['org.7.#', 'team.red']);
    expect(rightsOf([{ subscribe: '{a.b}' }], ada({ a: { b: 'nested' }, 'a.b': 'whole' })).subscribe).toEqual([
      'whole',
    ]);
  });

  it('use sub and iss of the identity, not claims of these names', () => {
    const rules: Rule[] = [{ subscribe: '{iss}.{sub}' }];
    expect(rightsOf(rules, ada({ sub: 'root', iss: 'evil' })).subscribe).toEqual(['shop.ada']);
  });

  it.each<[string, unknown]>([
    ['missing', undefined],
    ['null', null],
  ])('grant nothing by the rule whose claim is %s, and all else', (_, org) => {
    const rules: Rule[] = [PUBLIC, { subscribe: 'org.{org}.#', send: 'bid' }];
    const rights = rightsOf(rules, ada({ org }));
    expect(rights.subscribe).toEqual(['public.#']);
    expect(rights.send).toEqual(new Set());
    expect(rightsOf([PUBLIC, { subscribe: 'org.{org.id}' }], ada({ org: 'id' })).subscribe).toEqual(['public.#']);
    expect(rightsOf([PUBLIC, { subscribe: 'org.{org.0}' }], ada({ org: ['id'] })).subscribe).toEqual(['public.#']);
  });

  it.each(['__proto__', 'constructor', 'constructor.name', 'toString.name', 'org.length'])(
    'take the claim {%s} only from what the issuer says',
    (name) => {
      expect(rightsOf([PUBLIC, { subscribe: `x.{${name}}` }], ada({ org: 'a' })).subscribe).toEqual(['public.#']);
    },
  );

  it.each<[string, unknown]>([
    ['*', '*'],
    ['#', '#'],
    ['empty', ''],
    ['an object', { id: 7 }],
    ['a list', ['a']],
    ['a list of nothing', []],
    ['true', true],
    ['a fraction', 1.5],
    ['an integer that JavaScript cannot tell from the next one', 2 ** 53],
    ['infinite', Number.POSITIVE_INFINITY],
    ['a lone surrogate', '\ud800'],
    ['longer than a topic', 'x'.repeat(256)],
    ['too long for the pattern', 'x'.repeat(252)],
    ['too long when it is encoded', '.'.repeat(100)],
  ])('refuse a token with 403 if a claim that must be a word is %s', (_, org) => {
    const refusal = answerOf([PUBLIC, { subscribe: 'org.{org}.#' }], ada({ org }));
    expect(refusal).toMatchObject({ status: 403, reason: 'rights' });
    expect(refusal).toMatchObject({ message: 'the claim "org" of this identity cannot be part of a topic' });
    expect(answerOf([PUBLIC, { publish: 'org.{org}.#' }], ada({ org }))).toEqual(refusal);
  });

  it('refuse * and # as the subject', () => {
    for (const sub of ['*', '#']) {
      expect(answerOf([PUBLIC, { subscribe: 'user.{sub}.#' }], ada({}, sub))).toMatchObject({ status: 403 });
    }
  });

  it('do not look at the claims of a rule that does not apply', () => {
    const rules: Rule[] = [PUBLIC, { subscribe: '{org}', if: { role: 'admin' } }];
    expect(rightsOf(rules, ada({ org: {} })).subscribe).toEqual(['public.#']);
  });

  it('are closed to a client without a token: 401 with a challenge', () => {
    for (const rules of [[], [{ subscribe: '#' }], [{ send: 'bid', who: 'authenticated' as const }]]) {
      const refusal = answerOf(rules, undefined);
      expect(refusal).toMatchObject({ status: 401, headers: { 'WWW-Authenticate': 'Bearer' } });
    }
  });

  it('are closed to an identity to which none applies: 403', () => {
    for (const rules of [[], [{ subscribe: '{org}' }], [{ kind: 'service' as const }]]) {
      expect(answerOf(rules, ada())).toMatchObject({ status: 403 });
    }
  });

  it('of one issuer grant nothing to the identities of others', () => {
    const issuers = ['shop', 'forum'];
    const rules: Rule[] = [{ subscribe: 'user.{sub}', issuer: 'shop' }, { send: 'bid' }];
    expect(rightsOf(rules, { iss: 'forum', sub: 'ada' }, issuers).subscribe).toEqual([]);
    expect(rightsOf(rules, { iss: 'shop', sub: 'ada' }, issuers).subscribe).toEqual(['user.ada']);
  });

  it('that use claims mean the only issuer, also if the application admits identities of its own', () => {
    const rules: Rule[] = [{ subscribe: 'user.{sub}' }, { send: 'bid' }];
    expect(rightsOf(rules, { iss: 'session', sub: 'ada' }).subscribe).toEqual([]);
    expect(rightsOf(rules, { iss: 'session', sub: 'ada' }, []).subscribe).toEqual(['user.ada']);
  });

  it.each<[string, Rule['if'], Readonly<Record<string, unknown>>, boolean]>([
    ['a claim that is equal', { role: 'admin' }, { role: 'admin' }, true],
    ['another claim', { role: 'admin' }, { role: 'user' }, false],
    ['one of several values', { role: ['admin', 'owner'] }, { role: 'owner' }, true],
    ['an element', { role: 'admin' }, { role: ['user', 'admin'] }, true],
    ['no element', { role: 'admin' }, { role: ['user'] }, false],
    ['a missing claim', { role: 'admin' }, {}, false],
    ['null', { role: 'null' }, { role: null }, false],
    ['a nested claim', { 'realm.roles': 'admin' }, { realm: { roles: ['admin'] } }, true],
    ['a number', { level: 3 }, { level: 3 }, true],
    ['a number as a text', { level: 3 }, { level: '3' }, false],
    ['a boolean', { staff: true }, { staff: true }, true],
    ['a boolean as a text', { staff: true }, { staff: 'true' }, false],
    ['a word of scope', { scope: 'bid' }, { scope: 'read bid' }, true],
    ['a part of a word of scope', { scope: 'bid' }, { scope: 'read forbid' }, false],
    ['scope as a list', { scope: 'bid' }, { scope: ['read', 'bid'] }, true],
    ['a word of another claim', { role: 'admin' }, { role: 'user admin' }, false],
    ['the empty text of scope', { scope: ['x', ''] }, { scope: 'a  b' }, false],
    ['all of several claims', { role: 'admin', level: 3 }, { role: 'admin', level: 3 }, true],
    ['one of several claims', { role: 'admin', level: 3 }, { role: 'admin' }, false],
    ['the subject', { sub: 'ada' }, {}, true],
    ['an object', { org: 'a' }, { org: { a: true } }, false],
  ])('with a condition apply to %s', (_, condition, claims, applies) => {
    const rule: Rule = { send: 'bid', ...(condition && { if: condition }) };
    expect('status' in answerOf([rule], ada(claims))).toBe(!applies);
  });

  it('grant messages by name, or all of them', () => {
    expect(rightsOf([{ send: 'bid' }, { send: 'ask' }, { send: 'bid' }], ada()).send).toEqual(new Set(['ask', 'bid']));
    expect(rightsOf([{ send: 'bid' }, { send: '*' }], ada()).send).toBe('any');
  });

  it('grant broadcasts, and lift the limits of a service', () => {
    expect(rightsOf([{ broadcast: true }], ada())).toMatchObject({ broadcast: true, isService: false });
    expect(rightsOf([{ send: 'a', kind: 'service' }], ada())).toMatchObject({ broadcast: false, isService: true });
    expect(rightsOf([{ send: 'a' }, { kind: 'service', if: { app: 1 } }], ada({ app: 1 })).isService).toBe(true);
  });

  it('grant publishing by topic, exchange and source together', () => {
    const rules: Rule[] = [
      { publish: 'user.{sub}.#', exchange: 'chat' },
      { publish: 'log.#', source: '/app' },
    ];
    const rights = rightsOf(rules, ada());
    expect(rights.publish).toEqual([
      { pattern: 'log.#', source: '/app' },
      { pattern: 'user.ada.#', exchange: 'chat' },
    ]);
    expect(mayPublish(rights, { topic: 'user.ada.x', exchange: 'chat', source: '/' })).toBe(true);
    expect(mayPublish(rights, { topic: 'user.ada.x', exchange: 'mail', source: '/' })).toBe(false);
    expect(mayPublish(rights, { topic: 'user.bob.x', exchange: 'chat', source: '/' })).toBe(false);
    expect(mayPublish(rights, { topic: 'log.x', exchange: 'any', source: '/app' })).toBe(true);
    expect(mayPublish(rights, { topic: 'log.x', exchange: 'chat', source: '/' })).toBe(false);
  });
});
