import { visibleLines } from './terminal-text.js';

/** Set when standard output takes nothing more: its reader has gone, as `| head` does, or it cannot be written. */
let gone = false;
let tellGone = () => {};

/** The error that stopped the output. A broken pipe does not count: the reader has closed it on purpose. */
let failure: NodeJS.ErrnoException | undefined;

/**
 * Takes the errors of standard output and standard error, which would end the process otherwise: a failure to report must not end what it
 * reports on. To be called once, before anything is written.
 */
export function watchOutput(): void {
  process.stdout.on('error', outputGone);
  process.stderr.on('error', () => {});
}

/** What to do when standard output takes nothing more; for a command that would otherwise go on. */
export function whenOutputGone(callback: () => void): void {
  tellGone = callback;
}

/** Why output was lost, undefined if none was; a reader that went away had enough. */
export function outputFailure(): string | undefined {
  return failure && `standard output cannot be written: ${failure.message}`;
}

/**
 * Writes lines to standard output, no faster than it is read; nothing that they hold steers a terminal. What cannot be written is told by
 * {@link outputFailure}.
 */
export async function write(text: string): Promise<void> {
  if (gone) return;
  const error = await new Promise<NodeJS.ErrnoException | null | undefined>((resolve) =>
    process.stdout.write(visibleLines(text), resolve),
  );
  if (!error) return;
  if (error.code !== 'EPIPE') failure ??= error;
  outputGone();
}

/** One line of standard error, or several; nothing that it holds steers a terminal. */
export function complain(line: string): void {
  process.stderr.write(`${visibleLines(line)}\n`);
}

function outputGone(): void {
  if (gone) return;
  gone = true;
  tellGone();
}
