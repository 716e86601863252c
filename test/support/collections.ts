import { syncBuiltinESMExports } from 'node:module';
import vm from 'node:vm';
import { collectNow } from '../../packages/server/src/testing/garbage.js';

export { collectNow };

const { runInNewContext } = vm;

let areWhole = false;

/**
 * Makes the garbage collections on closing a SQLite log minor ones, until {@link restoreCollections}.
 *
 * Closing a log runs two full collections, because the driver releases file handles only with its statements. In a test
 * process, which holds the compiled modules of many files, they took more than half of the CPU time of each test with a
 * gateway. A minor collection finds the statements of a log that was opened a moment before.
 */
export function shortenCollections(): void {
  areWhole = false;
  replaceRunInNewContext((code, ...options) => {
    return code === 'gc' && !areWhole ? () => collectNow({ type: 'minor' }) : runInNewContext(code, ...options);
  });
}

/** For test files about what a closed log releases: they need the collections of production. */
export function keepCollectionsWhole(): void {
  areWhole = true;
}

export function restoreCollections(): void {
  replaceRunInNewContext(runInNewContext);
}

/** Also for modules that import it by name. */
function replaceRunInNewContext(value: typeof runInNewContext): void {
  Object.defineProperty(vm, 'runInNewContext', { value, configurable: true, enumerable: true, writable: true });
  syncBuiltinESMExports();
}
