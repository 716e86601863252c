// node half-upgrade.mjs PATH: upgrades a log to the present format, prints "done", and stops before the commit.
import { writeSync } from 'node:fs';
import { upgrade } from '../../../packages/server/dist/logs/sqlite/database/format.js';
import { Database } from '../../../packages/server/dist/logs/sqlite/database/sqlite-database.js';

class Uncommitted extends Database {
  transaction(work) {
    this.exec('BEGIN IMMEDIATE');
    work();
    writeSync(1, 'done\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  }
}

upgrade(new Uncommitted(process.argv[2]));
