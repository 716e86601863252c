// `npm start`: builds what the application needs, then starts it in this process. The first line must appear at once,
// so only modules of Node.js are imported before it: any other module must be read from a disk that may be cold.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const WORKSPACE = fileURLToPath(new URL('../../', import.meta.url));
/** The projects to build: the client, which is bundled into the page, and the application with all its imports. */
const PROJECTS = ['packages/client', 'apps/users'];
/** After this time without output, a line says that the build is still running. */
const STILL_MS = 5_000;

const began = performance.now();
const parent = process.ppid;
const say = (text) => process.stdout.write(`  ${text}\n`);
const seconds = () => `${((performance.now() - began) / 1_000).toFixed(1)} s`;
// The build continues if the reader of its output exits.
process.stdout.on('error', () => {});

const [, only] = /^--only=(.*)$/.exec(process.argv[2] ?? '') ?? [];
const parts = { app: 'the application', gateway: 'the gateway' }[only] ?? 'the application and the gateway';
say(`Pregon starts: it builds what has changed (everything, the first time), then runs ${parts}.`);
await compile();
if (only !== 'gateway') {
  say('building the page');
  await import('./build.mjs');
}
// npm does not pass SIGTERM on to this process: another parent shows that npm was ended.
if (process.ppid !== parent) process.exit(1);
say(`built after ${seconds()}; starting`);
await import('./dist/start.js');

/** Runs the compiler, and prints each project that it builds. A project that is up to date takes a moment. */
async function compile() {
  const tsc = fileURLToPath(new URL('node_modules/typescript/bin/tsc', `file://${WORKSPACE}`));
  if (!existsSync(tsc)) fail('Packages are missing: run npm ci, then npm start again.');
  const compiler = spawn(process.execPath, [tsc, '-b', ...PROJECTS, '--verbose', '--pretty', 'false'], {
    cwd: WORKSPACE,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let project = '';
  let total = 0;
  let built = 0;
  const still = setInterval(() => say(`still building${project && ` ${project}`} (${seconds()})`), STILL_MS);
  const errors = [];
  for await (const line of createInterface({ input: compiler.stdout })) {
    const [, building] = /Building project '(.+?)\/tsconfig\.json'/.exec(line) ?? [];
    if (/^ +\* /.test(line)) total++;
    else if (/Project '.+' is up to date/.test(line)) built++;
    else if (building) {
      project = building;
      built++;
      say(`building ${project} (${built} of ${total})`);
      still.refresh();
    } else if (/: error TS|^error /.test(line)) errors.push(line);
  }
  clearInterval(still);
  const code = compiler.exitCode ?? (await new Promise((resolve) => compiler.once('close', resolve)));
  if (code === 0) return;
  fail([...errors, 'The build failed. If packages are missing, run npm ci; then npm start again.'].join('\n'));
}

function fail(text) {
  console.error(text);
  process.exit(1);
}
