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

/** One line of a table; every line of a table has the same columns. */
export type Row = Readonly<Record<string, string | number>>;

export interface Question {
  readonly name: string;
  /** What is asked, for the heading of the table. */
  readonly title: string;
  /** The names by which parts of it can be asked for: `fanout.burst`. */
  readonly cases: readonly string[];
  answer(context: Context): Promise<Row[]>;
}

/** A goal and whether it was reached, as columns. */
export function goal(text: string, met: boolean): { goal: string; met: string } {
  return { goal: text, met: met ? 'yes' : 'no' };
}

export const NO_GOAL = { goal: '', met: '' };
