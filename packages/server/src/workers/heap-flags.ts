/**
 * By default, V8's young generation grows to 16 MiB and more, and is collected in one pause. If thousands of clients
 * connect at once, most of it survives, and the pause stops deliveries for tens of milliseconds. With 2 MiB, the pause
 * is half as long, and each of 10,000 connections takes 1,000 bytes less. docs/operations/running.md has the cost with
 * many audiences, and says when to choose another size.
 */
const SMALL_YOUNG_GENERATION = '--max-semi-space-size=2';

/**
 * The flags of Node.js for workers: those of this process, plus a small young generation unless its size is already
 * set.
 *
 * @param nodeOptions the variable `NODE_OPTIONS`
 */
export function heapFlags(execArgv: readonly string[], nodeOptions = ''): readonly string[] {
  const isSet = [nodeOptions, ...execArgv].some((flags) => /semi[-_]space[-_]size/.test(flags));
  return isSet ? execArgv : [SMALL_YOUNG_GENERATION, ...execArgv];
}
