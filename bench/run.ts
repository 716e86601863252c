import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeLeftovers } from './leftovers.js';
import { describeRun } from './machine.js';
import { type Options, parseOptions, USAGE } from './options.js';
import { endAll, killAll } from './processes/running.js';
import type { Context, Row } from './question.js';
import { append } from './questions/append.js';
import { fanout, socketIo, transports } from './questions/fanout.js';
import { latency } from './questions/latency.js';
import { memory } from './questions/memory.js';
import { replay } from './questions/replay.js';
import { storm } from './questions/storm.js';
import { topics } from './questions/topics.js';
import { ways } from './questions/ways.js';
import { formatTable } from './table.js';

const QUESTIONS = [append, fanout, transports, socketIo, topics, replay, memory, latency, ways, storm];

const args = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'pregon-bench-'));

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
  for (const [question, cases] of options.asked) {
    const rows = await question.answer(contextFor(options, question.name, cases));
    await endAll();
    progress('');
    results[question.name] = rows;
    if (!options.json) console.log(`\n${question.title}\n\n${formatTable(rows)}`);
  }
  if (options.json) console.log(JSON.stringify({ about, results }, undefined, 2));
}

async function end(code: number): Promise<void> {
  killAll();
  await removeLeftovers();
  process.exit(code);
}

function contextFor({ quick, profile }: Options, name: string, cases: readonly string[]): Context {
  const own = join(folder, name);
  mkdirSync(own);
  const gatewayArgv = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  return { quick, folder: own, gatewayArgv, cases, progress };
}

/** One line that is written over, for people; nothing where the output is a file. */
function progress(what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${what}`);
}
