import { PregonError } from '@pregon/protocol';
import { type RunningApplication, startApplication } from './application.js';
import { readSettings } from './settings.js';

// The main file of the application's process.

/** What we throw ourselves is a sentence for people; only what is unforeseen is worth a stack. */
function logError(error: unknown): void {
  console.error(error instanceof PregonError || error instanceof RangeError ? error.message : error);
}

async function start(): Promise<RunningApplication> {
  const settings = readSettings();
  const { host, uses } = settings;
  const application = await startApplication(settings, { say: (line) => console.log(line), logError });
  console.log(`takes requests on http://${host}:${application.port}, data in ${uses.database}, events to ${uses.log}`);
  return application;
}

function endOnSignal(application: RunningApplication): void {
  let closing = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // Ctrl-C reaches the whole group, and then the supervisor asks again: both mean the same one end.
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

try {
  endOnSignal(await start());
} catch (error) {
  logError(error);
  process.exit(1);
}
