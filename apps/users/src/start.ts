import { parseArgs } from 'node:util';
import { ignoreOutputErrors, printLine } from './print.js';
import { readSettings, type Settings } from './settings.js';
import { planApplication, planGateway } from './supervisor/processes.js';
import { supervise } from './supervisor/supervise.js';

/** How often this process checks whether npm's shell, its parent, still runs. */
const PARENT_CHECK_MS = 250;

async function main(): Promise<number> {
  ignoreOutputErrors();
  const { values } = parseArgs({ options: { only: { type: 'string' } } });
  const settings = readSettings();
  const plans = [];
  if (values.only !== 'gateway') plans.push(planApplication(settings));
  if (values.only !== 'app') plans.push(planGateway(settings));
  if (values.only !== undefined && plans.length !== 1) throw new RangeError('--only is either app or gateway');
  return supervise(plans, {
    host: settings.host,
    cwd: process.cwd(),
    typed: settings.typed,
    uses: settings.uses,
    print: printLine,
    stopped: stopRequest(settings),
  });
}

/**
 * Resolves when this process must stop: on a signal, or when npm is stopped. npm passes SIGTERM on to the shell that it
 * starts scripts with, and that shell ends without passing it on. This process only sees that its parent changes.
 */
function stopRequest({ startedByNpm }: Settings): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
    const parent = process.ppid;
    if (startedByNpm) setInterval(() => process.ppid !== parent && resolve(), PARENT_CHECK_MS).unref();
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  // Our own errors have a complete message. Only an unexpected error is printed with its stack.
  console.error(error instanceof RangeError ? error.message : error);
  process.exitCode = 1;
}
process.exit();
