import { syncBuiltinESMExports } from 'node:module';
import vm from 'node:vm';
import { collectNow } from '../../packages/server/src/testing/garbage.js';

export { collectNow };

const { runInNewContext } = vm;

let areWhole = false;

/**
 * Makes the garbage collections that closing a SQLite log asks for minor ones, until {@link restoreCollections}.
 *
 * A closed log collects all garbage twice, because the driver gives file handles back only with its statements. In a process of
 * tests, which holds the compiled modules of many files, that was more than half of the CPU time of each test with a gateway. A
 * minor collection finds the statements of a log that was opened a moment before.
 */
export function shortenCollections(): void {
  areWhole = false;
  replaceRunInNewContext((code, ...options) => {
    return code === 'gc' && !areWhole ? () => collectNow({ type: 'minor' }) : runInNewContext(code, ...options);
  });
}

/** For a file of tests about what a closed log gives back: its collections are those of production. */
export function keepCollectionsWhole(): void {
  areWhole = true;
}

export function restoreCollections(): void {
  replaceRunInNewContext(runInNewContext);
}

/** For whoever imports it by name, too. */
function replaceRunInNewContext(value: typeof runInNewContext): void {
  Object.defineProperty(vm, 'runInNewContext', { value, configurable: true, enumerable: true, writable: true });
  syncBuiltinESMExports();
}
