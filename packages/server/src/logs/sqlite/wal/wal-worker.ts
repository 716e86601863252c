import { workerData } from 'node:worker_threads';
import { Database, isBusy } from '../database/sqlite-database.js';

/** How long the thread waits for readers, and holds up writers, in milliseconds. */
const LOCK_WAIT_MS = 10;

/** A passive checkpoint first, which holds up no writer; then little is left to copy for the one that truncates. */
function checkpoint(path: string): void {
  const database = new Database(path);
  try {
    database.pragma(`busy_timeout = ${LOCK_WAIT_MS}`);
    database.pragma('wal_checkpoint(PASSIVE)');
    database.pragma('wal_checkpoint(TRUNCATE)');
  } catch (error) {
    // A reader still holds an old state.
    if (!isBusy(error)) throw error;
  } finally {
    database.close();
  }
}

checkpoint(String(workerData));
