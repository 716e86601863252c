// node hear.mjs PATH: joins the gateways on a log, and prints each received text up to its first space.
import { writeSync } from 'node:fs';
import { openSqliteLog } from '../../../packages/server/dist/logs/sqlite/sqlite-log.js';

const log = await openSqliteLog(process.argv[2]);
await log.ephemeral.join((text) => writeSync(1, `${text.split(' ')[0]}\n`));
writeSync(1, 'joined\n');
setInterval(() => {}, 1_000);
