import { formatCell } from './table.js';

/** The options of a run of the benchmarks. */
export interface Context {
  /** Shorter and fewer rounds: for a first look, not for reliable figures. */
  readonly quick: boolean;
  /** An empty folder for logs, which is removed after the run. */
  readonly folder: string;
  /** Node.js flags of the gateway, including those for a requested profile. */
  readonly gatewayArgv: readonly string[];
  /** The cases of a question to run; empty for all. */
  readonly cases: readonly string[];
  /** Prints the current step. */
  progress(what: string): void;
}

const GOALS: unique symbol = Symbol('goals');

/** A row of a table. All rows of a table have the same columns; the entry about goals is not a column. */
export interface Row {
  readonly [column: string]: string | number;
  readonly [GOALS]?: readonly GoalLine[];
}

export interface Question {
  readonly name: string;
  /** The question itself, as the heading of the table. */
  readonly title: string;
  /** The names of its cases, which can be run alone: `fanout.burst`. */
  readonly cases: readonly string[];
  /** The cases that have goals, if not all have; empty if the question has no goal. */
  readonly goalCases?: readonly string[];
  answer(context: Context): Promise<Row[]>;
}

/** A goal, for the table of all goals. */
export interface GoalLine {
  readonly goal: string;
  /** The measured value with its unit. */
  readonly measured: string;
  /** Whether the goal was met; undefined if it cannot be measured on this machine. */
  readonly met: boolean | undefined;
}

interface GoalColumns {
  readonly goal: string;
  readonly met: string;
  readonly [GOALS]: readonly GoalLine[];
}

/**
 * A goal and whether it was reached, as columns.
 *
 * @param measured the measured value with its unit; by default, the table of goals shows the figures of the row
 */
export function goal(text: string, met: boolean, measured = ''): GoalColumns {
  return goals([{ goal: text, met, measured }]);
}

/** Several goals in one row, which meets them if each is met. */
export function goals(lines: readonly GoalLine[]): GoalColumns {
  const unsaid = lines.some(({ met }) => met === undefined);
  const missed = lines.some(({ met }) => met === false);
  const met = missed ? 'no' : unsaid ? 'not measured' : 'yes';
  return { goal: lines.map((line) => line.goal).join(', '), met, [GOALS]: lines };
}

export const NO_GOAL = { goal: '', met: '' };

/** The goals of a row, with the name of the row. */
export function goalLines(question: Question, row: Row): (GoalLine & { readonly about: string })[] {
  const cells = Object.entries(row).filter(([column]) => column !== 'goal' && column !== 'met');
  const words = cells.filter(([, value]) => typeof value === 'string' && value !== '').map(([, value]) => value);
  const figures = cells.filter(([, value]) => typeof value === 'number' && Number.isFinite(value));
  const about = [question.name, ...words].join(', ');
  const all = figures.map(([column, value]) => `${column} ${formatCell(value)}`).join(', ');
  return (row[GOALS] ?? []).map((line) => ({ ...line, about, measured: line.measured || all }));
}
