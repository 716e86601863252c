import { canonicalPatterns, isPattern } from '@pregon/protocol';

/** The variables of all rules of a route: equal variables have equal numbers. */
export class Variables {
  readonly #numbers = new Map<string, number>();

  /** The names of claims, in the order of their numbers. */
  get names(): readonly string[] {
    return [...this.#numbers.keys()];
  }

  numberOf(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#numbers.set(name, this.#numbers.size);
    return this.#numbers.size - 1;
  }
}

/** A topic pattern of a rule, in which words can be variables. */
export interface TopicTemplate {
  /** The pattern in canonical form, with `{0}` for the variable of number 0. It is itself a valid pattern if it is short enough. */
  readonly text: string;
  /** The numbers of its variables, in order. */
  readonly variables: readonly number[];
  /** What stands before, between and behind the variables. */
  readonly literals: readonly string[];
}

/**
 * Parses the pattern of a rule: `org.{org.id}.#`.
 *
 * @throws TypeError that says what is wrong with it
 */
export function parseTemplate(pattern: string, variables: Variables): TopicTemplate {
  const text = pattern.replace(/\{([^{}]*)\}/g, (_, name: string) => `{${variables.numberOf(checkedName(name))}}`);
  for (const word of text.split('.')) {
    if (/[{}]/.test(word) && !/^\{\d+\}$/.test(word)) {
      throw new TypeError(`a variable such as {sub} must be a whole word of ${JSON.stringify(pattern)}`);
    }
  }
  if (!isPattern(text)) {
    throw new TypeError(
      `${JSON.stringify(pattern)} is not a topic pattern: write words between dots, * for one word, # for any number`,
    );
  }
  const [canonical = text] = canonicalPatterns([text]);
  const parts = canonical.split(/\{(\d+)\}/);
  return {
    text: canonical,
    variables: parts.filter((_, at) => at % 2 === 1).map(Number),
    literals: parts.filter((_, at) => at % 2 === 0),
  };
}

function checkedName(name: string): string {
  if (name.split('.').some((part) => part === '') || /\s/.test(name)) {
    throw new TypeError(`{${name}} does not name a claim: write {sub}, or a path such as {org.id}`);
  }
  return name;
}

/**
 * The pattern for the words of one identity.
 *
 * @param words by the numbers of the variables; each variable of the template must have one
 */
export function fillTemplate({ text, literals, variables }: TopicTemplate, words: readonly unknown[]): string {
  if (variables.length === 0) return text;
  let pattern = literals[0] ?? '';
  for (const [at, variable] of variables.entries()) pattern += `${words[variable]}${literals[at + 1]}`;
  return pattern;
}
