/** The code that shells report for a process ended by Ctrl-C: 128 plus the number of SIGINT. */
const EXIT_INTERRUPTED = 130;

/** Waits for SIGTERM or SIGINT; a SIGINT after the first signal ends the process at once. */
export function stopRequested(): Promise<string> {
  return new Promise<string>((resolve) => {
    let stopping = false;
    const stop = (signal: string) => {
      if (stopping && signal === 'SIGINT') process.exit(EXIT_INTERRUPTED);
      stopping = true;
      resolve(signal);
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  });
}
