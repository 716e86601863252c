import { isPattern } from '@pregon/protocol';
import { BoundedMap } from '../../core/bounded-map.js';
import type { Identity, Refusal } from '../../core/ports/admission.js';
import type { Rights } from '../../core/ports/rights.js';
import { UNUSABLE, wordOfClaim } from './claims.js';
import { appliesTo, type CompiledRule } from './compiled-rule.js';
import { coverageOf } from './coverage.js';
import { grantAnything, makeRights } from './make-rights.js';
import { NO_TOKEN, NOTHING_GRANTED, unusableClaim } from './refusals.js';
import { fillTemplate } from './topic-template.js';

/** The most patterns and names in all rights that are remembered: some 20 MB. */
const MOST_REMEMBERED = 200_000;

/** A route with few rules is counted as if it had so many: rights of one pattern take memory, too. */
const LEAST_RULES = 20;

/** The words of the variables of all rules, by their numbers. */
type Words = (string | undefined)[];

/** The rules of a route, compiled. They are asked once for each connection. */
export class RouteRules {
  /** The claims that the rules name, sorted, each once. `sub` and `iss` are not among them. */
  readonly claims: readonly string[];
  /** Whether any rule grants to publish. */
  readonly publishes: boolean;
  /** The rules that grant the same to every identity. */
  readonly #always: readonly CompiledRule[];
  /** The rules that depend on the identity. */
  readonly #rules: readonly CompiledRule[];
  /** The names of the variables, by their numbers. */
  readonly #variables: readonly string[];
  readonly #coverage: ReturnType<typeof coverageOf>;
  /** By the rules that apply to an identity, and the words of their variables. */
  readonly #made: BoundedMap<string, Rights | Refusal>;
  /** By key: different rules can grant equal rights. */
  readonly #byKey: BoundedMap<string, Rights>;
  readonly #anonymous: Rights | Refusal;

  /** @param variables the names of the variables, by their numbers */
  constructor(rules: readonly CompiledRule[], variables: readonly string[]) {
    this.#always = rules.filter(isUnconditional);
    this.#rules = rules.filter((rule) => !isUnconditional(rule));
    this.#variables = variables;
    this.publishes = rules.some(({ publish }) => publish !== undefined);
    this.#coverage = coverageOf(rules);
    const named = [...variables, ...rules.flatMap(({ conditions }) => conditions.map(({ claim }) => claim))];
    this.claims = [...new Set(named)].filter((name) => name !== 'sub' && name !== 'iss').sort();
    const most = Math.ceil(MOST_REMEMBERED / Math.max(LEAST_RULES, rules.length));
    this.#made = new BoundedMap(most);
    this.#byKey = new BoundedMap(most);
    const open = rules.filter((rule) => appliesTo(rule, undefined));
    this.#anonymous = open.length > 0 ? this.#unique(makeRights(open, this.#coverage, [])) : NO_TOKEN;
  }

  /**
   * What an identity may do. It takes some microseconds: rights are remembered, and equal ones are mostly the same object, whatever the
   * token.
   *
   * @param identity undefined for a client without a token
   * @returns a refusal with 401 and `WWW-Authenticate: Bearer` if a client without a token may do nothing; with 403 if an identity may do
   *   nothing, or a rule that applies to it needs a word of a topic from a claim that cannot be one
   */
  rightsOf(identity: Identity | undefined): Rights | Refusal {
    if (!identity) return this.#anonymous;
    const words: Words = [];
    const granting: CompiledRule[] = [];
    // A word contains no white space.
    let signature = '';
    for (const [number, rule] of this.#rules.entries()) {
      if (!appliesTo(rule, identity)) continue;
      const unusable = this.#readWords(rule, identity, words);
      if (unusable !== undefined) return unusableClaim(unusable);
      if (rule.variables.some((variable) => words[variable] === undefined)) continue;
      granting.push(rule);
      signature += `${number} `;
      for (const variable of rule.variables) signature += `${words[variable]} `;
    }
    return this.#made.get(signature) ?? this.#make(signature, [...this.#always, ...granting], words);
  }

  /** @returns the name of a claim that cannot be a word of a topic */
  #readWords({ variables }: CompiledRule, identity: Identity, words: Words): string | undefined {
    for (const variable of variables) {
      if (words[variable] !== undefined) continue;
      const name = this.#variables[variable] ?? '';
      const word = wordOfClaim(identity, name);
      if (word === UNUSABLE) return name;
      words[variable] = word;
    }
    return undefined;
  }

  #make(signature: string, granting: readonly CompiledRule[], words: Words): Rights | Refusal {
    const rights = this.#refusalOf(granting, words) ?? this.#unique(makeRights(granting, this.#coverage, words));
    const answer = 'status' in rights || grantAnything(rights) ? rights : NOTHING_GRANTED;
    this.#made.set(signature, answer);
    return answer;
  }

  /** A word that is valid by itself can make a pattern too long. */
  #refusalOf(granting: readonly CompiledRule[], words: Words): Refusal | undefined {
    for (const { subscribe, publish, variables } of granting) {
      for (const template of [subscribe, publish]) {
        if (template && template.variables.length > 0 && !isPattern(fillTemplate(template, words))) {
          return unusableClaim(this.#variables[variables[0] ?? 0] ?? '');
        }
      }
    }
    return undefined;
  }

  #unique(rights: Rights): Rights {
    const known = this.#byKey.get(rights.key);
    if (known) return known;
    this.#byKey.set(rights.key, rights);
    return rights;
  }
}

function isUnconditional({ issuer, conditions, variables }: CompiledRule): boolean {
  return issuer === undefined && conditions.length === 0 && variables.length === 0;
}
