import { describe, expect, it } from 'vitest';
import { compileRules } from '../../../src/access/rules/compile-rules.js';
import type { Rule } from '../../../src/access/rules/rule.js';

/** As a configuration file or JavaScript could hand them over. */
function compileAny(rules: unknown, issuers: readonly string[] = ['shop']): unknown {
  const parsed: readonly Rule[] = JSON.parse(JSON.stringify(rules));
  return compileRules(parsed, { issuers });
}

describe('[H-03] Rules are refused when they are compiled', () => {
  it.each<[string, unknown, RegExp]>([
    ['without a right', {}, /it grants nothing/],
    ['with a condition alone', { if: { role: 'admin' } }, /it grants nothing/],
    ['as a text', 'public.#', /a rule is a map/],
    ['as null', null, /a rule is a map/],
    ['as a list', ['public.#'], /a rule is a map/],
    ['with an unknown member', { subscibe: 'a' }, /"subscibe" is not part of a rule; there are subscribe, send/],
    ['with a pattern that is no text', { subscribe: 42 }, /subscribe must be a text that is not empty/],
    ['with an empty pattern', { subscribe: '' }, /subscribe must be a text that is not empty/],
    ['with an empty word', { subscribe: 'a..b' }, /"a\.\.b" is not a topic pattern/],
    ['with a blank', { subscribe: 'a b' }, /"a b" is not a topic pattern/],
    ['with a wildcard in a word', { subscribe: 'user.4*' }, /"user\.4\*" is not a topic pattern/],
    ['with a pattern of 256 bytes', { publish: 'x'.repeat(256) }, /is not a topic pattern/],
    ['with a variable in a word', { subscribe: 'user.u{sub}.#' }, /a variable such as \{sub\} must be a whole word/],
    ['with two variables in a word', { subscribe: '{sub}{sub}' }, /must be a whole word of "\{sub\}\{sub\}"/],
    ['with an open brace', { subscribe: 'user.{sub.#' }, /must be a whole word/],
    ['with a closing brace', { subscribe: 'user.sub}.#' }, /must be a whole word/],
    ['with a variable in a variable', { subscribe: '{{sub}}' }, /must be a whole word/],
    ['with a variable without a name', { subscribe: 'user.{}' }, /\{\} does not name a claim/],
    ['with a variable of blanks', { subscribe: 'user.{ sub }' }, /\{ sub \} does not name a claim/],
    ['with an empty step in a path', { subscribe: 'org.{org..id}' }, /\{org\.\.id\} does not name a claim/],
    ['with a variable as the name of a message', { send: 'bid.{sub}' }, /only subscribe and publish can have one/],
    ['with a variable as the source', { publish: 'a', source: '/{sub}' }, /only subscribe and publish can have one/],
    ['with an exchange, but nothing to publish', { subscribe: 'a', exchange: 'x' }, /add publish, or leave them out/],
    ['for clients that do not exist', { subscribe: 'a', who: 'everyone' }, /who must be anyone or authenticated/],
    ['for an unknown issuer', { subscribe: 'a', issuer: 'shpo' }, /"shpo" is not an issuer; the issuers are shop/],
    ['for anyone with a claim', { subscribe: '{sub}', who: 'anyone' }, /also means clients without a token/],
    ['for anyone with a condition', { send: 'a', who: 'anyone', if: { a: 1 } }, /also means clients without a token/],
    ['for anyone of an issuer', { send: 'a', who: 'anyone', issuer: 'shop' }, /also means clients without a token/],
    ['for any service', { send: 'a', who: 'anyone', kind: 'service' }, /also means clients without a token/],
    ['with an empty condition', { send: 'a', if: {} }, /if must be a map/],
    ['with a condition that is a text', { send: 'a', if: 'admin' }, /if must be a map/],
    ['with a condition without values', { send: 'a', if: { role: [] } }, /the claim "role" in if needs a string/],
    ['with a condition on an object', { send: 'a', if: { role: { a: 1 } } }, /the claim "role" in if needs a string/],
    ['with a condition on null', { send: 'a', if: { role: ['a', null] } }, /the claim "role" in if needs a string/],
    ['with another kind', { send: 'a', kind: 'robot' }, /kind can only be service/],
    ['with broadcast: false', { broadcast: false }, /broadcast can only be true/],
  ])('%s', (_, rule, message) => {
    expect(() => compileAny([{ subscribe: 'public.#' }, rule])).toThrow(TypeError);
    expect(() => compileAny([{ subscribe: 'public.#' }, rule])).toThrow(message);
    expect(() => compileAny([{ subscribe: 'public.#' }, rule])).toThrow(/^allow\[1\] /);
  });

  it('with the text of the rule', () => {
    expect(() => compileRules([{ subscribe: 'a..b' }], { issuers: [] })).toThrow(
      'allow[0] {"subscribe":"a..b"}: "a..b" is not a topic pattern: write words between dots, * for one word, # for any number',
    );
  });

  it('if they are not a list', () => {
    expect(() => compileAny({ subscribe: 'a' })).toThrow(new TypeError('allow must be a list of rules'));
  });

  it.each<[string, Rule]>([
    ['a variable in subscribe', { subscribe: 'user.{sub}.#' }],
    ['a variable in publish', { publish: 'user.{sub}.#' }],
    ['a condition', { send: 'bid', if: { role: 'admin' } }],
  ])('if there are several issuers, and %s does not say which one is meant', (_, rule) => {
    const several = { issuers: ['shop', 'https://login.example/'] };
    const message = /it uses claims, and there are several issuers: add "issuer:" with one of shop, https:/;
    expect(() => compileRules([rule], several)).toThrow(message);
    expect(() => compileRules([{ ...rule, issuer: 'shop' }], several)).not.toThrow();
    expect(() => compileRules([rule], { issuers: ['shop'] })).not.toThrow();
    expect(() => compileRules([rule], { issuers: [] })).not.toThrow();
  });

  it('not if several issuers share a rule that uses no claim', () => {
    expect(() => compileRules([{ send: 'bid' }, { subscribe: 'a' }], { issuers: ['a', 'b'] })).not.toThrow();
  });

  it('not if an application decides who an identity is, and names its own issuers', () => {
    expect(() => compileRules([{ send: 'bid', issuer: 'session' }], { issuers: [] })).not.toThrow();
  });
});

describe('Compiled rules', () => {
  it('name the claims that they use, so that a connection keeps no others', () => {
    const rules: Rule[] = [
      { subscribe: 'user.{sub}.{org.id}' },
      { publish: '{iss}.{team}' },
      { send: 'bid', if: { role: 'admin', 'org.id': 7, scope: 'bid' } },
    ];
    expect(compileRules(rules, { issuers: ['shop'] }).claims).toEqual(['org.id', 'role', 'scope', 'team']);
  });
});
