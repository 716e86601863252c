import type { SearchBudget } from './search-budget.js';

/** The cost of creating a state, in steps: visiting this many states takes as long. */
const STEPS_OF_NEW_STATE = 16;

/** The cost of reading one word of a pattern, in steps. */
const STEPS_OF_WORD = 2;

/** A pattern of which some words have been read. */
interface Rest {
  readonly pattern: string;
  /** The index of the next word; beyond the end if no word is left. */
  at: number;
}

/**
 * Where a topic may have led in a list of patterns. The states form a tree, because patterns that begin with the same words share
 * states. A request can create thousands of states, so a state is small: it has a list or a map only if it needs one.
 */
export class PatternState {
  /** True behind a `#`: any word leads from this state to itself. */
  readonly isLoop: boolean;
  /** True if a pattern ends here: it matches the topic that leads here. */
  accepts = false;
  /** The state behind a `*`. */
  star: PatternState | undefined;
  /** The state behind a `#`. It is reached together with this one. */
  hash: PatternState | undefined;
  /** The number of the last step that reached this state. */
  reachedIn = 0;
  /** The first literal word, and the state behind it. */
  #word: string | undefined;
  #next: PatternState | undefined;
  /** The states behind the other literal words. */
  #others: Map<string, PatternState> | undefined;
  #rest: Rest | undefined;
  #rests: Rest[] | undefined;

  constructor(isLoop: boolean) {
    this.isLoop = isLoop;
  }

  /** The state behind a literal word. */
  behind(word: string): PatternState | undefined {
    return this.#word === word ? this.#next : this.#others?.get(word);
  }

  /** Adds the rest of a pattern. The state takes the object over. */
  add(rest: Rest): void {
    if (rest.at > rest.pattern.length) this.accepts = true;
    else if (!this.#rest) this.#rest = rest;
    else if (this.#rests) this.#rests.push(rest);
    else this.#rests = [rest];
  }

  /** Takes the patterns of which the next word has not been read. Each must be given to {@link pass}. */
  takeRests(): readonly Rest[] {
    const first = this.#rest;
    if (!first) return [];
    const rests = this.#rests ?? [];
    this.#rest = undefined;
    this.#rests = undefined;
    rests.push(first);
    return rests;
  }

  /** Hands a pattern on to the state behind its next word. @returns whether that state was created */
  pass(rest: Rest): boolean {
    const { pattern, at } = rest;
    const dot = pattern.indexOf('.', at);
    const end = dot < 0 ? pattern.length : dot;
    rest.at = end + 1;
    const word = pattern.slice(at, end);
    const known = this.#follower(word);
    const next = known ?? this.#create(word);
    next.add(rest);
    return known === undefined;
  }

  #follower(word: string): PatternState | undefined {
    return word === '*' ? this.star : word === '#' ? this.hash : this.behind(word);
  }

  #create(word: string): PatternState {
    const next = new PatternState(word === '#');
    if (word === '*') {
      this.star = next;
    } else if (word === '#') {
      this.hash = next;
    } else if (this.#word === undefined) {
      this.#word = word;
      this.#next = next;
    } else {
      this.#others ??= new Map();
      this.#others.set(word, next);
    }
    return next;
  }
}

/**
 * The automaton of a list of patterns: it reads topics word by word. States are created when they are first reached, so a long list
 * costs only what is searched.
 */
export class PatternAutomaton {
  readonly #root = new PatternState(false);
  #size = 0;
  #step = 0;
  #reached: PatternState[] = [];
  #acceptsAll = false;

  constructor(patterns: Iterable<string>) {
    for (const pattern of patterns) this.#root.add({ pattern, at: 0 });
  }

  /** The number of states that were created so far, the first one excluded. */
  get size(): number {
    return this.#size;
  }

  /** The states before the first word, or `all` if any topic is matched. @throws PregonError TOPICS_TOO_COMPLEX */
  start(budget: SearchBudget): readonly PatternState[] | 'all' {
    this.#begin();
    this.#reach(this.#root, budget);
    return this.#acceptsAll ? 'all' : this.#reached;
  }

  /**
   * The states that one more word leads to, or `all` if a pattern matches whatever follows.
   *
   * @param word undefined for a word that no pattern names
   * @throws PregonError TOPICS_TOO_COMPLEX
   */
  read(
    states: readonly PatternState[],
    word: string | undefined,
    budget: SearchBudget,
  ): readonly PatternState[] | 'all' {
    this.#begin();
    budget.spend(states.length);
    for (const state of states) {
      if (state.isLoop) this.#reach(state, budget);
      if (state.star) this.#reach(state.star, budget);
      const next = word === undefined ? undefined : state.behind(word);
      if (next) this.#reach(next, budget);
    }
    return this.#acceptsAll ? 'all' : this.#reached;
  }

  /** Whether all these states are among those that the last step led to. */
  areReached(states: readonly PatternState[]): boolean {
    for (const { reachedIn } of states) if (reachedIn !== this.#step) return false;
    return true;
  }

  #begin(): void {
    this.#step += 1;
    this.#reached = [];
    this.#acceptsAll = false;
  }

  #reach(state: PatternState, budget: SearchBudget): void {
    if (state.reachedIn === this.#step) return;
    state.reachedIn = this.#step;
    this.#expand(state, budget);
    if (state.isLoop && state.accepts) this.#acceptsAll = true;
    this.#reached.push(state);
    if (state.hash) this.#reach(state.hash, budget);
  }

  #expand(state: PatternState, budget: SearchBudget): void {
    const rests = state.takeRests();
    if (rests.length === 0) return;
    let created = 0;
    for (const rest of rests) if (state.pass(rest)) created += 1;
    this.#size += created;
    budget.spend(rests.length * STEPS_OF_WORD + created * STEPS_OF_NEW_STATE);
  }
}
