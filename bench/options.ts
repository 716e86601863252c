import { parseArgs } from 'node:util';
import type { Question } from './question.js';

export interface Options {
  /** What to ask, in order, and which cases of each; empty for all of them. */
  readonly asked: ReadonlyMap<Question, readonly string[]>;
  readonly quick: boolean;
  readonly json: boolean;
  readonly profile: string | undefined;
}

export const USAGE = `npm run bench [name…] [-- --quick] [--json] [--profile=FOLDER]

  --quick           shorter and fewer rounds: for a look, not for a figure
  --json            one JSON object instead of tables
  --profile=FOLDER  write a CPU profile of the gateway (node --cpu-prof) there`;

/** @throws TypeError where an argument is not known */
export function parseOptions(args: readonly string[], questions: readonly Question[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { quick: { type: 'boolean' }, json: { type: 'boolean' }, profile: { type: 'string' } },
  });
  const asked = new Map<Question, readonly string[]>();
  for (const text of positionals.length > 0 ? positionals : questions.map(({ name }) => name)) {
    const [name, part] = text.split('.');
    const question = questions.find((candidate) => candidate.name === name);
    if (!question || (part !== undefined && !question.cases.includes(part))) {
      throw new TypeError(`no benchmark ${text}; there are: ${names(questions).join(', ')}`);
    }
    asked.set(question, part === undefined ? [] : [...(asked.get(question) ?? []), part]);
  }
  return { asked, quick: values.quick ?? false, json: values.json ?? false, profile: values.profile };
}

function names(questions: readonly Question[]): string[] {
  return questions.flatMap(({ name, cases }) => [name, ...cases.map((part) => `${name}.${part}`)]);
}
