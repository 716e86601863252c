import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The figures of one run, by row and then by column. */
export type RunFigures = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Columns where less is better: CPU time, memory, delay. */
const COSTS = /µs|bytes| ms$/;

/** The cost of the load client, or of a peer, says nothing about the gateway. */
const NOT_JUDGED = /client/;
const PEERS = new Set(['ws', 'socket.io', 'bun', 'Bun']);

/** A built copy of the project in its own folder. */
export class Checkout {
  readonly folder: string;

  /** @throws TypeError if the folder contains no built benchmarks */
  constructor(folder: string) {
    this.folder = resolve(folder);
    if (existsSync(join(this.folder, 'bench/dist/run.js'))) return;
    throw new TypeError(
      `${this.folder} contains no built benchmarks: run "npm ci && npm run bench -- --help" in it first`,
    );
  }

  /** Runs the benchmarks once, in processes of this checkout. @throws Error if the run fails */
  async ask(questions: readonly string[], flags: readonly string[]): Promise<RunFigures> {
    const args = ['bench/dist/run.js', ...questions, '--json', ...flags];
    const { stdout } = await run(process.execPath, args, { cwd: this.folder, maxBuffer: 16 * 1024 * 1024 });
    return figuresOf(JSON.parse(stdout));
  }
}

function figuresOf(output: unknown): RunFigures {
  const figures = new Map<string, Map<string, number>>();
  for (const [question, rows] of Object.entries(recordOf(recordOf(output)['results']))) {
    for (const row of Array.isArray(rows) ? rows : []) {
      const cells = Object.entries(recordOf(row)).filter(([column]) => column !== 'goal' && column !== 'met');
      const words = cells.flatMap(([, value]) => (typeof value === 'string' && value !== '' ? [value] : []));
      if (words.some((word) => PEERS.has(word))) continue;
      figures.set([question, ...words].join(', '), costsOf(cells));
    }
  }
  return figures;
}

function costsOf(cells: readonly [string, unknown][]): Map<string, number> {
  const costs = new Map<string, number>();
  for (const [column, value] of cells) {
    const isCost = COSTS.test(column) && !NOT_JUDGED.test(column);
    if (isCost && typeof value === 'number' && value > 0) costs.set(column, value);
  }
  return costs;
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
