import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeLeftovers } from './leftovers.js';
import { describeRun } from './machine.js';
import { type Options, parseOptions, USAGE } from './options.js';
import { endAll, killAll } from './processes/running.js';
import { SERVER_FLAGS } from './processes/server-flags.js';
import type { Context, Row } from './question.js';
import { access } from './questions/access.js';
import { append } from './questions/append.js';
import { bus } from './questions/bus.js';
import { compressed } from './questions/compressed.js';
import { connect } from './questions/connect.js';
import { fanout, socketIo, transports } from './questions/fanout.js';
import { latency } from './questions/latency.js';
import { memory } from './questions/memory.js';
import { replay } from './questions/replay.js';
import { slow } from './questions/slow.js';
import { storm } from './questions/storm.js';
import { topics } from './questions/topics.js';
import { ways } from './questions/ways.js';
import { workers } from './questions/workers.js';
import { writeDocument } from './report/document.js';
import { goalRows } from './report/goals.js';
import { formatTable } from './table.js';

const QUESTIONS = [
  append,
  fanout,
  transports,
  socketIo,
  topics,
  compressed,
  replay,
  memory,
  latency,
  ways,
  storm,
  connect,
  access,
  slow,
  bus,
  workers,
];

const args = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'pregon-bench-'));
// Temporary files of the processes go into this folder too, so that they are removed: sockets of killed gateways.
process.env['TMPDIR'] = folder;

process.on('exit', () => {
  killAll();
  rmSync(folder, { recursive: true, force: true });
});
process.on('SIGINT', () => void end(130));
process.on('SIGTERM', () => void end(143));

try {
  await run(parseOptions(args, QUESTIONS));
} catch (error) {
  console.error(error instanceof TypeError ? `${error.message}\n\n${USAGE}` : error);
  process.exitCode = 1;
}

async function run(options: Options): Promise<void> {
  const about = describeRun(['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' '), folder);
  if (!options.json) for (const [name, value] of Object.entries(about)) console.log(`${name.padEnd(10)}${value}`);
  const results: Record<string, Row[]> = {};
  const failures: Record<string, string> = {};
  for (const [question, cases] of options.asked) {
    const began = performance.now();
    try {
      const rows = await question.answer(contextFor(options, question.name, cases));
      results[question.name] = rows;
      if (!options.json) show(`${question.title} (${seconds(began)})`, rows);
    } catch (error) {
      failures[question.name] = String(error);
      console.error(`\n${question.name}:`, error);
      process.exitCode = 1;
    }
    await endAll();
  }
  const goals = goalRows(options.asked.keys(), results);
  if (options.json) console.log(JSON.stringify({ about, results, goals, failures }, undefined, 2));
  else if (options.goals) show('Goals', goals);
  if (!options.write) return;
  if (Object.keys(failures).length > 0) throw new Error('the document was not written, because a benchmark failed');
  writeDocument(about, options.asked.keys(), results);
}

function seconds(began: number): string {
  return `${Math.round((performance.now() - began) / 1_000)} s`;
}

function show(title: string, rows: readonly Row[]): void {
  progress('');
  console.log(`\n${title}\n\n${formatTable(rows)}`);
}

async function end(code: number): Promise<void> {
  killAll();
  await removeLeftovers();
  process.exit(code);
}

function contextFor({ quick, profile }: Options, name: string, cases: readonly string[]): Context {
  const own = join(folder, name);
  mkdirSync(own);
  const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const gatewayArgv = [...SERVER_FLAGS, ...profiling];
  return { quick, folder: own, gatewayArgv, cases, progress };
}

/** Shows the current step in a line that is overwritten; nothing if the output is not a terminal. */
function progress(what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${what}`);
}
