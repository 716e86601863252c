/** Set where the reader of standard output has gone, as `| head` does: nothing more can be said to anybody. */
let gone = false;
let tellGone = () => {};

/** A broken pipe is quiet: the reader had enough. To be called once, before anything is written. */
export function watchOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (gone) return;
    gone = true;
    tellGone();
  });
}

/** What to do when nobody reads standard output any more; for a command that would otherwise go on. */
export function whenOutputGone(callback: () => void): void {
  tellGone = callback;
}

/** Writes to standard output, no faster than it is read. */
export async function write(text: string | Uint8Array): Promise<void> {
  if (gone) return;
  // Called with an error too, which is told to the listener of `watchOutput`.
  await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()));
}

/** One line of standard error. */
export function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}
