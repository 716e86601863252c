import { once } from 'node:events';

/** Set where the reader of standard output has gone, as `| head` does: nothing more can be said to anybody. */
let gone = false;

/**
 * Prepares standard output for a command. Broken pipes are quiet: the reader had enough.
 *
 * @param onGone what to do then
 */
export function watchOutput(onGone: () => void): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (gone) return;
    gone = true;
    onGone();
  });
}

/** Writes to standard output, no faster than it is read. */
export async function write(text: string | Uint8Array): Promise<void> {
  if (gone || process.stdout.write(text)) return;
  await Promise.race([once(process.stdout, 'drain'), once(process.stdout, 'close')]);
}

/** One line of standard error. */
export function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}
