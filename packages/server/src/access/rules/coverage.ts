import { isContained } from '../../core/topics/containment.js';
import { SearchBudget } from '../../core/topics/search-budget.js';
import { hasWildcard } from '../../core/topics/topic-index.js';
import type { CompiledRule } from './compiled-rule.js';

/** With more rules than this, their patterns are not compared: each pair takes some microseconds when the gateway starts. */
const MOST_COMPARED = 100;

/** For each rule, the rules that grant all the topics that it grants, to the same identity. */
export type Coverage = ReadonlyMap<CompiledRule, ReadonlySet<CompiledRule>>;

/** Compares the patterns of all rules once, so that rights can leave out patterns without a comparison. */
export function coverageOf(rules: readonly CompiledRule[]): Coverage {
  const coverage = new Map<CompiledRule, Set<CompiledRule>>();
  const subscribing = rules.filter(({ subscribe }) => subscribe);
  if (subscribing.length > MOST_COMPARED) return coverage;
  for (const [rank, wide] of subscribing.entries()) {
    // Patterns without wildcards contain only equal ones, of which rights list one anyway.
    if (!hasWildcard(wide.subscribe?.text ?? '')) continue;
    const patterns = Object.freeze([wide.subscribe?.text ?? '']);
    for (const [other, narrow] of subscribing.entries()) {
      if (other === rank || !covers(patterns, narrow)) continue;
      // Of two rules with the same topics, the second one is covered.
      if (other < rank && covers(Object.freeze([narrow.subscribe?.text ?? '']), wide)) continue;
      const covering = coverage.get(narrow) ?? new Set();
      coverage.set(narrow, covering.add(wide));
    }
  }
  return coverage;
}

/** A variable is compared like a literal word: for each identity, it is the same word in all patterns. */
function covers(patterns: readonly string[], { subscribe }: CompiledRule): boolean {
  try {
    return isContained(subscribe?.text ?? '', patterns, new SearchBudget());
  } catch {
    // It takes too long. The rights then keep a pattern that they could leave out.
    return false;
  }
}

/** Leaves out rules whose topics another one of them grants as well. */
export function withoutCovered(rules: readonly CompiledRule[], coverage: Coverage): readonly CompiledRule[] {
  if (rules.length < 2 || coverage.size === 0) return rules;
  const present = new Set(rules);
  return rules.filter((rule) => ![...(coverage.get(rule) ?? [])].some((covering) => present.has(covering)));
}
