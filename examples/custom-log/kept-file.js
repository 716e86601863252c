// @ts-check
import { renameSync } from 'node:fs';
import { EventFile } from './event-file.js';

/** @import { KeptChanges, KeptState, KeptValue } from 'pregon/log' */

/** Opens a file of changes, one per line. Opening compacts it to one line per value. @param {string} path */
export async function openKept(path) {
  const values = /** @type {Map<string, KeptValue>} */ (new Map());
  const before = new EventFile(path);
  for (const [line] of before.lines()) {
    const [key, value] = JSON.parse(line.toString());
    value ? values.set(key, value) : values.delete(key);
  }
  before.close();
  const file = new EventFile(`${path}.next`);
  const save = async (/** @type {KeptState} */ _, /** @type {KeptChanges} */ changes) =>
    void (await file.append([...changes].map((change) => Buffer.from(JSON.stringify(change)))));
  await save(values, values);
  renameSync(`${path}.next`, path);
  return { values, save, close: () => file.close() };
}
