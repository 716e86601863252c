import { parseArgs } from 'node:util';
import type { Question } from './question.js';

export interface Options {
  /** The benchmarks to run, in order, with the cases of each; an empty list means all cases. */
  readonly asked: ReadonlyMap<Question, readonly string[]>;
  /** Whether the table of goals is printed: for a run of everything, or of the goals. */
  readonly goals: boolean;
  readonly quick: boolean;
  readonly json: boolean;
  readonly write: boolean;
  readonly profile: string | undefined;
}

export const USAGE = `npm run bench [goals] [name…] [-- --quick] [--json] [--write] [--profile=FOLDER]

  goals             run only what the goals need, and print the table of goals
  --quick           shorter and fewer rounds: for a first look, not for reliable figures
  --json            print one JSON object instead of tables
  --write           update tables and charts in docs/development/benchmarks.md; for a run of everything, or of the goals
  --profile=FOLDER  write a CPU profile of the gateway (node --cpu-prof) to this folder`;

/** @throws TypeError if an argument is unknown */
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
  if (write && named.length > 0)
    throw new TypeError('--write works only for a run of everything or of all goals: remove the names');
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
      throw new TypeError(`there is no benchmark "${text}"; the benchmarks are ${names(questions).join(', ')}`);
    }
    asked.set(question, part === undefined ? [] : [...(asked.get(question) ?? []), part]);
  }
  return asked;
}

/** The questions with goals: of the named ones, or of all if none is named. */
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
