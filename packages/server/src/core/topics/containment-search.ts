import type { PatternAutomaton, PatternState } from './pattern-automaton.js';
import type { SearchBudget } from './search-budget.js';

/** A place in the asked pattern, and the states that the automaton may be in when a topic has been read up to that place. */
interface Pair {
  readonly place: number;
  readonly states: readonly PatternState[];
}

/**
 * Searches for a topic that matches one pattern, and none of the patterns of an automaton.
 *
 * A word of the topic leads the automaton from a set of states to another one (subset construction). A word that no pattern names leads
 * to a subset of what any other word leads to, because only `*` and `#` match it. So if the asked pattern has a wildcard, such a word is
 * the worst case, and the only one to examine. What is left to search is how many words each `#` of the asked pattern stands for.
 *
 * A pair needs no search if another pair with the same place and fewer states was searched: the topics that those states accept, these
 * accept too (antichains: De Wulf, Doyen, Henzinger and Raskin, "Antichains: A New Algorithm for Checking Universality of Finite
 * Automata", CAV 2006).
 */
export class ContainmentSearch {
  /** The words of the asked pattern, in canonical form, except that `#` alone is `*.#`. */
  readonly #words: readonly string[];
  readonly #automaton: PatternAutomaton;
  readonly #budget: SearchBudget;
  readonly #open: Pair[] = [];
  /** The sets of states that were found at each place, by the last state in them. */
  readonly #found: (Map<PatternState, (readonly PatternState[])[]> | undefined)[] = [];
  #count = 0;

  constructor(words: readonly string[], automaton: PatternAutomaton, budget: SearchBudget) {
    this.#words = words;
    this.#automaton = automaton;
    this.#budget = budget;
  }

  /**
   * @returns false if there is a topic that only the asked pattern matches
   * @throws PregonError TOPICS_TOO_COMPLEX
   */
  run(): boolean {
    this.#visit(0, this.#automaton.start(this.#budget));
    for (let pair = this.#open.pop(); pair; pair = this.#open.pop()) {
      const { place, states } = pair;
      const word = this.#words[place];
      if (word === undefined) {
        if (!states.some(({ accepts }) => accepts)) return false;
        continue;
      }
      const isWildcard = word === '*' || word === '#';
      const next = this.#automaton.read(states, isWildcard ? undefined : word, this.#budget);
      if (next === 'all') continue;
      // A topic that has no state left is matched by no pattern, and each place of the asked pattern can be continued to its end.
      if (next.length === 0) return false;
      this.#visit(word === '#' ? place : place + 1, next);
    }
    return true;
  }

  /** @param states as the automaton has just returned them */
  #visit(place: number, states: readonly PatternState[] | 'all'): void {
    if (states === 'all') return;
    this.#add(place, states);
    // A `#` may also stand for no word. A canonical pattern has no two of them side by side.
    if (this.#words[place] === '#') this.#add(place + 1, states);
  }

  #add(place: number, states: readonly PatternState[]): void {
    const found = this.#foundAt(place);
    this.#budget.spend(states.length);
    for (const state of states) {
      for (const other of found.get(state) ?? []) {
        this.#budget.spend(1 + (other.length >> 2));
        if (this.#automaton.areReached(other)) return;
      }
    }
    const last = states[states.length - 1];
    if (last === undefined) return;
    const beside = found.get(last);
    if (beside) beside.push(states);
    else found.set(last, [states]);
    this.#count += 1;
    this.#budget.assertStates(this.#count);
    this.#open.push({ place, states });
  }

  #foundAt(place: number): Map<PatternState, (readonly PatternState[])[]> {
    let found = this.#found[place];
    if (!found) {
      found = new Map();
      this.#found[place] = found;
    }
    return found;
  }
}
