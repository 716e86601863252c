import { parseArgs } from 'node:util';
import type { Question } from './question.js';

export interface Options {
  /** What to ask, in order, and which cases of each; empty for all of them. */
  readonly asked: ReadonlyMap<Question, readonly string[]>;
  /** Whether the table of goals is wanted: everything was asked, or all that the goals need. */
  readonly goals: boolean;
  readonly quick: boolean;
  readonly json: boolean;
  readonly write: boolean;
  readonly profile: string | undefined;
}

export const USAGE = `npm run bench [goals] [name…] [-- --quick] [--json] [--write] [--profile=FOLDER]

  goals             what the goals need and no more, and the table of the goals
  --quick           shorter and fewer rounds: for a look, not for a figure
  --json            one JSON object instead of tables
  --write           write tables and charts of a run of everything, or of the goals, into docs/development/benchmarks.md
  --profile=FOLDER  write a CPU profile of the gateway (node --cpu-prof) there`;

/** @throws TypeError where an argument is not known */
export function parseOptions(args: readonly string[], questions: readonly Question[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      quick: { type: 'boolean' },
      json: { type: 'boolean' },
      write: { type: 'boolean' },
      profile: { type: 'string' },
    },
  });
  const { quick = false, json = false, write = false, profile } = values;
  const named = positionals.filter((text) => text !== 'goals');
  const goalsAlone = named.length < positionals.length;
  if (write && named.length > 0) throw new TypeError('--write is for a run of everything, or of all goals');
  const asked = named.length > 0 ? parseNames(named, questions) : goalsAlone ? new Map() : allOf(questions);
  const goals = goalsAlone || named.length === 0;
  return { asked: goalsAlone ? casesOfGoals(asked, questions) : asked, goals, quick, json, write, profile };
}

function allOf(questions: readonly Question[]): Map<Question, readonly string[]> {
  return new Map(questions.map((question) => [question, []]));
}

function parseNames(texts: readonly string[], questions: readonly Question[]): Map<Question, readonly string[]> {
  const asked = new Map<Question, readonly string[]>();
  for (const text of texts) {
    const [name, part] = text.split('.');
    const question = questions.find((candidate) => candidate.name === name);
    if (!question || (part !== undefined && !question.cases.includes(part))) {
      throw new TypeError(`no benchmark ${text}; there are: ${names(questions).join(', ')}`);
    }
    asked.set(question, part === undefined ? [] : [...(asked.get(question) ?? []), part]);
  }
  return asked;
}

/** Of the named questions, or else of all, those with goals. */
function casesOfGoals(
  asked: ReadonlyMap<Question, readonly string[]>,
  questions: readonly Question[],
): Map<Question, readonly string[]> {
  const wanted = (asked.size > 0 ? [...asked.keys()] : questions).filter(({ goalCases }) => goalCases?.length !== 0);
  return new Map(
    wanted.map((question) => {
      const cases = asked.get(question) ?? [];
      return [question, cases.length > 0 ? cases : (question.goalCases ?? [])];
    }),
  );
}

function names(questions: readonly Question[]): string[] {
  return questions.flatMap(({ name, cases }) => [name, ...cases.map((part) => `${name}.${part}`)]);
}
