import { type GoalLine, goalLines, type Question, type Row } from '../question.js';
import type { Results } from './charts.js';

/** All goals in the rows, each with its measured value. */
export function goalRows(questions: Iterable<Question>, results: Results): Row[] {
  return [...questions].flatMap((question) =>
    (results[question.name] ?? [])
      .flatMap((row) => goalLines(question, row))
      .map(({ about, goal, measured, met }) => ({ case: about, goal, measured, met: verdict(met) })),
  );
}

function verdict(met: GoalLine['met']): string {
  if (met === undefined) return 'not measured';
  return met ? 'yes' : '**no**';
}
