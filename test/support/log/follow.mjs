// node follow.mjs PATH: follows the log from its floor, and prints the id of each event.
import { writeSync } from 'node:fs';
import { openSqliteLog } from '../../../packages/server/dist/logs/sqlite/sqlite-log.js';

const log = await openSqliteLog(process.argv[2]);
log.follow(await log.floor(), {
  appended: ({ entries }) => {
    for (const { payload } of entries) writeSync(1, `${JSON.parse(Buffer.from(payload).toString()).id}\n`);
  },
  replaced: () => writeSync(1, 'replaced\n'),
  unavailable: (error) => writeSync(1, `unavailable ${error.message}\n`),
  available: () => writeSync(1, 'available\n'),
});
writeSync(1, 'following\n');
