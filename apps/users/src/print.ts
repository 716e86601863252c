/** How much waits for a reader of standard output that does not read; further lines are dropped. */
const MAX_WAITING_BYTES = 1_048_576;

/** Lets the process go on if its output cannot be written: a full disk, a reader that went away, a terminal that is gone. */
export function ignoreOutputErrors(): void {
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
}

/** Prints a line, or drops it if too much waits already: nobody who does not read may hold up or fill this process. */
export function printLine(line: string): void {
  if (process.stdout.writableLength < MAX_WAITING_BYTES) process.stdout.write(`${line}\n`);
}
