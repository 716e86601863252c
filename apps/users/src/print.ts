/** How many bytes may wait for a slow reader of standard output. Further lines are dropped. */
const MAX_WAITING_BYTES = 1_048_576;

/** Lets the process continue if its output cannot be written: a full disk, a reader that exited, a closed terminal. */
export function ignoreOutputErrors(): void {
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
}

/** Prints a line, or drops it if too many bytes wait: a slow reader must not block this process or fill its memory. */
export function printLine(line: string): void {
  if (process.stdout.writableLength < MAX_WAITING_BYTES) process.stdout.write(`${line}\n`);
}
