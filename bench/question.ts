import { formatCell } from './table.js';

/** What a run of the benchmarks was asked for. */
export interface Context {
  /** Shorter and fewer rounds: for a look, not for a figure. */
  readonly quick: boolean;
  /** An empty folder for logs, gone afterwards. */
  readonly folder: string;
  /** Flags for the Node.js of the gateway, where its profile is wanted. */
  readonly gatewayArgv: readonly string[];
  /** Which cases of a question are wanted; empty for all. */
  readonly cases: readonly string[];
  /** Says what is going on. */
  progress(what: string): void;
}

const GOALS: unique symbol = Symbol('goals');

/** One line of a table; every line of a table has the same columns. What it says of goals by the way is no column. */
export interface Row {
  readonly [column: string]: string | number;
  readonly [GOALS]?: readonly GoalLine[];
}

export interface Question {
  readonly name: string;
  /** What is asked, for the heading of the table. */
  readonly title: string;
  /** The names by which parts of it can be asked for: `fanout.burst`. */
  readonly cases: readonly string[];
  /** Those that a goal needs, where not all do; empty where there is no goal in it. */
  readonly goalCases?: readonly string[];
  answer(context: Context): Promise<Row[]>;
}

/** One goal, for the table of all. */
export interface GoalLine {
  readonly goal: string;
  /** With its unit. */
  readonly measured: string;
  /** Undefined where it cannot be said on this machine. */
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
 * @param measured what is compared with it, with its unit; if it is not said, the figures of the row stand in the table of goals
 */
export function goal(text: string, met: boolean, measured = ''): GoalColumns {
  return goals([{ goal: text, met, measured }]);
}

/** Several in one row: it is met if each is. */
export function goals(lines: readonly GoalLine[]): GoalColumns {
  const unsaid = lines.some(({ met }) => met === undefined);
  const missed = lines.some(({ met }) => met === false);
  const met = missed ? 'no' : unsaid ? 'not measured' : 'yes';
  return { goal: lines.map((line) => line.goal).join(', '), met, [GOALS]: lines };
}

export const NO_GOAL = { goal: '', met: '' };

/** What a row says of goals, with what it is about. */
export function goalLines(question: Question, row: Row): (GoalLine & { readonly about: string })[] {
  const cells = Object.entries(row).filter(([column]) => column !== 'goal' && column !== 'met');
  const words = cells.filter(([, value]) => typeof value === 'string' && value !== '').map(([, value]) => value);
  const figures = cells.filter(([, value]) => typeof value === 'number' && Number.isFinite(value));
  const about = [question.name, ...words].join(', ');
  const all = figures.map(([column, value]) => `${column} ${formatCell(value)}`).join(', ');
  return (row[GOALS] ?? []).map((line) => ({ ...line, about, measured: line.measured || all }));
}
