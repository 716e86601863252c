import { workerData } from 'node:worker_threads';
import { Database, isBusy } from '../database/sqlite-database.js';

/** The time for which the thread waits for readers and blocks writers, in milliseconds. */
const LOCK_WAIT_MS = 10;

/**
 * Runs a passive checkpoint first, which blocks no writer. It leaves little to copy for the checkpoint that truncates.
 */
function checkpoint(path: string): void {
  const database = new Database(path);
  try {
    database.pragma(`busy_timeout = ${LOCK_WAIT_MS}`);
    database.pragma('wal_checkpoint(PASSIVE)');
    database.pragma('wal_checkpoint(TRUNCATE)');
  } catch (error) {
    // A reader still uses an old snapshot.
    if (!isBusy(error)) throw error;
  } finally {
    database.close();
  }
}

checkpoint(String(workerData));
