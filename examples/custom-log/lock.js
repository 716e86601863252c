// @ts-check
import { linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PregonError } from 'pregon/log';

/** The folders that this process has open. In a container, a killed process and the next one may have the same id. */
const held = new Set();

/**
 * Locks a folder for this process, even if a killed process left its lock. Each holder adds a lock with the next
 * number, and the highest number counts: if two processes lock at the same moment, at most one succeeds.
 *
 * @param {string} folder @returns {() => void} releases the lock
 */
export function lockFolder(folder) {
  const pathOf = (/** @type {number} */ number) => join(folder, `lock-${number}`);
  const numbers = () => readdirSync(folder).flatMap((name) => /^lock-(\d+)$/.exec(name)?.slice(1).map(Number) ?? []);
  const last = Math.max(0, ...numbers());
  const own = join(folder, `process-${process.pid}`);
  try {
    const holder = last === 0 ? 0 : Number(readFileSync(pathOf(last), 'utf8'));
    if (holder === process.pid ? held.has(folder) : isRunning(holder)) throw new Error(`process ${holder} has it open`);
    writeFileSync(own, String(process.pid));
    // A link has its content from the start, and fails if the name exists.
    linkSync(own, pathOf(last + 1));
    if (Math.max(...numbers()) > last + 1) throw new Error('another process has opened it');
  } catch (cause) {
    const message = `the log in ${folder} is for one process only: ${cause}`;
    throw new PregonError('CONFIG_INVALID', message, { cause });
  } finally {
    rmSync(own, { force: true });
  }
  for (const number of numbers()) if (number <= last) rmSync(pathOf(number), { force: true });
  held.add(folder);
  return () => {
    // The file stays, so that no other process uses its number.
    writeFileSync(pathOf(last + 1), '0');
    held.delete(folder);
  };
}

/** @param {number} pid */
function isRunning(pid) {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
