// Creates outbox tables, as one of several processes that do so at the same time: migrate.mjs <folder> <how many>
import { createSqliteOutbox } from '@pregon/outbox';
import Database from 'libsql';

const [folder, howMany] = process.argv.slice(2);
// No timeout on the connection, so that waiting is left to `migrate`.
const db = new Database(`${folder}/app.db`);
for (let i = 0; i < Number(howMany); i++) createSqliteOutbox({ source: '/items', table: `outbox_${i}` }).migrate(db);
db.close();
process.disconnect();
