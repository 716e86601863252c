import { startApplication } from './application.js';
import { readSettings } from './settings.js';

// The main file of the application's process.
const settings = readSettings();
const application = await startApplication(settings, (error) => console.error(error));
console.log(`takes requests on http://${settings.host}:${application.port}, data in ${settings.databaseFile}`);

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
