import { parseArgs } from 'node:util';
import { ignoreOutputErrors, printLine } from './print.js';
import { readSettings, type Settings } from './settings.js';
import { planApplication, planGateway } from './supervisor/processes.js';
import { supervise } from './supervisor/supervise.js';

/** How often we look whether the shell that npm started us from is still there. */
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
 * Resolves when somebody wants us to end: by a signal, or by ending npm. npm passes SIGTERM on to the
 * shell that it starts scripts with, and that shell ends without passing it on to us: all that we see is another parent.
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
  // What we throw ourselves is a sentence for people; only what is unforeseen is worth a stack.
  console.error(error instanceof RangeError ? error.message : error);
  process.exitCode = 1;
}
process.exit();
