import { randomBytes, randomInt } from 'node:crypto';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Chaos } from './chaos.js';
import { type Options, parseOptions, USAGE } from './options.js';
import { formatResults, isClean } from './results.js';
import { SECRET_FILE } from './rights.js';
import { brokerStage } from './stage/broker.js';
import { embeddedStage } from './stage/embedded.js';

// The main file of `npm run chaos`.
const options = readOptions();
const folder = mkdtempSync(join(tmpdir(), 'pregon-chaos-'));
let keep = options.keep;
let chaos: Chaos | undefined;

// No part of the run survives this process, whatever ends it.
process.on('exit', () => {
  chaos?.abandon();
  if (!keep) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});
process.on('SIGHUP', () => process.exit(129));
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));

const { mode, durationMs, seed, rate } = options;
console.log(`chaos, ${mode}: ${durationMs / 60_000} minutes, --seed=${seed}, ${rate} transactions/s, in ${folder}`);
// Gateways and clients know the secret of the tokens.
writeFileSync(join(folder, SECRET_FILE), randomBytes(32).toString('base64'), { mode: 0o600 });
try {
  const stage = await (mode === 'embedded' ? embeddedStage : brokerStage)({ folder, seed, rate });
  chaos = new Chaos(options, stage, folder, {
    progress: (line) => console.log(line),
    note: (line) => appendFileSync(join(folder, 'faults.log'), `${new Date().toISOString()} ${line}\n`),
  });
  const results = await chaos.run();
  console.log(`\n${formatResults(results)}\n`);
  if (!isClean(results)) fail([...results.surprises, ...results.verdict.evidence]);
} catch (error) {
  fail([error]);
}
process.exit();

function fail(found: readonly unknown[]): void {
  keep = true;
  for (const one of found) console.log(one instanceof Error ? one : String(one));
  console.log(`\nfound in a run with --seed=${seed}; logs, databases and journals are in ${folder}`);
  process.exitCode = 1;
}

function readOptions(): Options {
  try {
    return parseOptions(process.argv.slice(2), () => randomInt(1, 1_000_000));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}
