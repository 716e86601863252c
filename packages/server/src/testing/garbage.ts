import { setFlagsFromString } from 'node:v8';
import vm from 'node:vm';

/** Taken at once: a test may put another function in its place. */
const { runInNewContext } = vm;

let collector: ((options?: { type: 'minor' }) => void) | undefined;

/** Collects what nobody refers to any more, within this turn of the event loop; of what is new alone if it is `minor`. */
export function collectNow(options?: { type: 'minor' }): void {
  collector ??= findCollector();
  collector(options);
}

function findCollector(): NonNullable<typeof collector> {
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext('gc');
  if (typeof found !== 'function') throw new Error('V8 offers no function that collects garbage');
  return (options) => void Reflect.apply(found, undefined, options ? [options] : []);
}
