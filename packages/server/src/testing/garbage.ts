import { setFlagsFromString } from 'node:v8';
import vm from 'node:vm';

/** Imported early: a test may replace the function later. */
const { runInNewContext } = vm;

let collector: ((options?: { type: 'minor' }) => void) | undefined;

/** Runs the garbage collector at once; with `minor`, only for young objects. */
export function collectNow(options?: { type: 'minor' }): void {
  collector ??= findCollector();
  collector(options);
}

function findCollector(): NonNullable<typeof collector> {
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext('gc');
  if (typeof found !== 'function') throw new Error('V8 does not expose its garbage collector');
  return (options) => void Reflect.apply(found, undefined, options ? [options] : []);
}
