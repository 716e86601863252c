import { matchesTopic } from '@pregon/protocol';
import type { Identity } from '../../core/ports/admission.js';
import { hasValue, UNUSABLE, wordOfClaim } from './claims.js';
import { compileRule } from './compile-rule.js';
import { type CompileRulesOptions, textOf } from './compile-rules.js';
import type { CompiledRule } from './compiled-rule.js';
import type { Rule } from './rule.js';
import { fillTemplate, Variables } from './topic-template.js';

/** What one rule says about a topic. */
export interface RuleVerdict {
  readonly index: number;
  /** The rule as JSON. */
  readonly rule: string;
  readonly grants: boolean;
  /** Why it grants the topic, or why not: `user.42.# matches`. */
  readonly why: string;
}

/**
 * Explains for each rule of a route whether it grants the events of a topic. It is slow, and for operators; what counts
 * is {@link RouteRules.rightsOf}.
 *
 * @throws TypeError if a rule is wrong
 */
export function explainTopic(
  rules: readonly Rule[],
  { issuers }: CompileRulesOptions,
  identity: Identity | undefined,
  topic: string,
): RuleVerdict[] {
  const variables = new Variables();
  return rules.map((rule, index) => {
    const compiled = compileRule(rule, issuers, variables);
    return { index, rule: textOf(rule), ...judge(compiled, variables.names, identity, topic) };
  });
}

type Judgement = Pick<RuleVerdict, 'grants' | 'why'>;

function judge(rule: CompiledRule, names: readonly string[], identity: Identity | undefined, topic: string): Judgement {
  if (!rule.subscribe) return denied('it is not about topics to subscribe to');
  if (!identity && !rule.isForAnyone) return denied('it needs a token');
  const words: (string | undefined)[] = [];
  if (identity) {
    if (rule.issuer !== undefined && rule.issuer !== identity.iss) {
      return denied(`it is for the issuer ${JSON.stringify(rule.issuer)}`);
    }
    const failed = rule.conditions.find(({ claim, values }) => !hasValue(identity, claim, values));
    if (failed) return denied(`the claim ${JSON.stringify(failed.claim)} is not ${failed.values.join(' or ')}`);
    for (const variable of rule.variables) {
      const name = names[variable] ?? '';
      const word = wordOfClaim(identity, name);
      if (word === undefined) return denied(`the token has no claim ${JSON.stringify(name)}`);
      if (word === UNUSABLE) return denied(`the claim ${JSON.stringify(name)} cannot be a word of a topic`);
      words[variable] = word;
    }
  }
  const pattern = fillTemplate(rule.subscribe, words);
  const grants = matchesTopic(pattern, topic);
  return { grants, why: `${pattern} ${grants ? 'matches' : 'does not match'}` };
}

function denied(why: string): Judgement {
  return { grants: false, why };
}
