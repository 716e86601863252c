import { canonicalPatterns } from '@pregon/protocol';
import { BoundedMap } from '../bounded-map.js';
import { ContainmentSearch } from './containment-search.js';
import { PatternAutomaton } from './pattern-automaton.js';
import { SearchBudget } from './search-budget.js';

/** How many automata are kept: the patterns of a request are all compared with one list, and the next request brings the next list. */
const MOST_KEPT = 100;

/** A kept automaton may have so many states, and so many more for each pattern. A state takes about 150 bytes. */
const MOST_STATES = 1_000;
const MOST_STATES_PER_PATTERN = 5;

/** Only for frozen lists: the automaton of any other list could be out of date. */
const kept = new BoundedMap<readonly string[], PatternUnion>(MOST_KEPT);

/**
 * Whether each topic that matches `asked` also matches at least one of the `allowed` patterns. The allowed patterns count together: `*`
 * and `*.*.#` contain `#`, because each topic has one word or more. The answer for a frozen list is computed faster from the second time
 * on.
 *
 * @param asked a valid pattern
 * @param allowed valid patterns
 * @param budget what this comparison and others may cost together. @default a budget for this comparison alone
 * @throws PregonError TOPICS_TOO_COMPLEX if the comparison takes more than 10,000 states or 80,000 steps
 * @example
 * isContained('user.42.#', ['public.#', 'user.*.#']); // true
 * isContained('user.#', ['public.#', 'user.*.#']); // false: the topic `user`
 */
export function isContained(asked: string, allowed: readonly string[], budget = new SearchBudget()): boolean {
  if (allowed.length === 0) return false;
  if (!Object.isFrozen(allowed)) return new PatternUnion(allowed).contains(asked, budget);
  let union = kept.get(allowed);
  if (!union) {
    union = new PatternUnion(allowed);
    kept.set(allowed, union);
  }
  return union.contains(asked, budget);
}

/** The automaton of a list of patterns, which is kept as long as it is small. */
class PatternUnion {
  readonly #patterns: ReadonlySet<string>;
  #automaton: PatternAutomaton | undefined;

  constructor(patterns: readonly string[]) {
    this.#patterns = new Set(patterns);
  }

  contains(asked: string, budget: SearchBudget): boolean {
    if (this.#patterns.has('#') || this.#patterns.has(asked)) return true;
    const automaton = this.#automaton ?? new PatternAutomaton(this.#patterns);
    try {
      return new ContainmentSearch(wordsOf(asked), automaton, budget).run();
    } finally {
      const most = MOST_STATES + this.#patterns.size * MOST_STATES_PER_PATTERN;
      this.#automaton = automaton.size > most ? undefined : automaton;
    }
  }
}

/** Each topic has one word or more, so `#` and `*.#` match the same topics. */
function wordsOf(pattern: string): readonly string[] {
  const [canonical = pattern] = canonicalPatterns([pattern]);
  return canonical === '#' ? ['*', '#'] : canonical.split('.');
}
