import { PregonError } from '@pregon/protocol';
import { type RunningApplication, startApplication } from './application.js';
import { ignoreOutputErrors, printLine } from './print.js';
import { readSettings } from './settings.js';

// The main file of the application's process.

/** Our own errors have a complete message. Only an unexpected error is printed with its stack. */
function logError(error: unknown): void {
  console.error(error instanceof PregonError || error instanceof RangeError ? error.message : error);
}

async function start(): Promise<RunningApplication> {
  const settings = readSettings();
  const { host, typed, uses } = settings;
  const options = { ...settings, gatewayCommand: `${typed}npm run gateway` };
  const application = await startApplication(options, { say: printLine, logError });
  printLine(`takes requests on http://${host}:${application.port}, data in ${uses.database}, events to ${uses.log}`);
  return application;
}

function endOnSignal(application: RunningApplication): void {
  let closing = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // Ctrl-C reaches the whole process group, and then the supervisor sends SIGTERM: the second signal is ignored.
    process.on(signal, () => {
      if (closing) return;
      closing = true;
      application.close().then(
        () => process.exit(0),
        (error: unknown) => {
          console.error(error);
          process.exit(1);
        },
      );
    });
  }
}

ignoreOutputErrors();
try {
  endOnSignal(await start());
} catch (error) {
  logError(error);
  process.exit(1);
}
