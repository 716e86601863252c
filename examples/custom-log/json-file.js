// @ts-check
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** @param {string} path @returns {any} undefined if there is no such file */
export function readJson(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

/** Replaces a file atomically; durable when it returns. @param {string} path @param {unknown} value */
export function writeJson(path, value) {
  writeFileSync(`${path}.next`, JSON.stringify(value), { mode: 0o600, flush: true });
  renameSync(`${path}.next`, path);
  syncFolder(dirname(path));
}

/** Syncs a folder, which stores the names of its new files. @param {string} path */
export function syncFolder(path) {
  const folder = openSync(path, 'r');
  fsyncSync(folder);
  closeSync(folder);
}
