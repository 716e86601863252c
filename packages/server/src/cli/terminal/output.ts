import { visibleLines } from './terminal-text.js';

/** Set when standard output takes no more data: its reader closed it, as `head` does, or a write failed. */
let gone = false;
let tellGone = () => {};

/** The error that stopped the output. A broken pipe is no error: the reader closed it on purpose. */
let failure: NodeJS.ErrnoException | undefined;

/**
 * Handles the errors of standard output and standard error. Without a handler, a failure to report would end the work
 * that is reported on. Call it once, before the first write.
 */
export function watchOutput(): void {
  process.stdout.on('error', outputGone);
  process.stderr.on('error', () => {});
}

/** Sets what happens when standard output takes no more data, for commands that would otherwise continue. */
export function whenOutputGone(callback: () => void): void {
  tellGone = callback;
}

/** Why output was lost; undefined if none was. A reader that closed the pipe counts as no loss. */
export function outputFailure(): string | undefined {
  return failure && `standard output cannot be written: ${failure.message}`;
}

/**
 * Writes lines to standard output, no faster than its reader takes them. Control characters are escaped, so the text
 * cannot control a terminal. A failed write is reported by {@link outputFailure}.
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

/**
 * Writes one line or several to standard error. Control characters are escaped, so the text cannot control a terminal.
 */
export function complain(line: string): void {
  process.stderr.write(`${visibleLines(line)}\n`);
}

function outputGone(): void {
  if (gone) return;
  gone = true;
  tellGone();
}
