import { messageOf } from '@pregon/protocol';
import { compileRule } from './compile-rule.js';
import { RouteRules } from './route-rules.js';
import type { Rule } from './rule.js';
import { Variables } from './topic-template.js';

/** The most characters of a rule that an error shows. */
const MOST_SHOWN = 200;

export interface CompileRulesOptions {
  /** The names of the issuers whose tokens are admitted. Empty if the application decides who an identity is. */
  readonly issuers: readonly string[];
}

/**
 * Checks the rules of a route, and prepares them for many connections. No rules at all close the route.
 *
 * @throws TypeError if a rule is wrong, for example if it uses a claim but names none of several issuers. The message has the index and
 *   the text of the rule
 * @example
 * const rules = compileRules([{ subscribe: 'user.{sub}.#' }], { issuers: ['shop'] });
 * const rights = rules.rightsOf({ iss: 'shop', sub: '42' });
 * if (!('status' in rights)) rights.subscribe; // ['user.42.#']
 */
export function compileRules(rules: readonly Rule[], { issuers }: CompileRulesOptions): RouteRules {
  if (!Array.isArray(rules)) throw new TypeError('allow must be a list of rules');
  const variables = new Variables();
  const compiled = rules.map((rule, index) => {
    try {
      return compileRule(rule, issuers, variables);
    } catch (cause) {
      throw new TypeError(`allow[${index}] ${textOf(rule)}: ${messageOf(cause)}`, { cause });
    }
  });
  return new RouteRules(compiled, variables.names);
}

/** What is wrong with one rule, after its text; undefined if it can be compiled. */
export function ruleProblem(rule: unknown, { issuers }: CompileRulesOptions): string | undefined {
  try {
    compileRule(rule, issuers, new Variables());
    return undefined;
  } catch (error) {
    return `${textOf(rule)}: ${messageOf(error)}`;
  }
}

export function textOf(rule: unknown): string {
  try {
    return (JSON.stringify(rule) ?? String(rule)).slice(0, MOST_SHOWN);
  } catch {
    return 'that is not JSON';
  }
}
