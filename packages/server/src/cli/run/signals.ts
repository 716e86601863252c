import { closeSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

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

/**
 * Calls back at SIGHUP, by which operators make a service read its files again. A terminal sends the same signal when it
 * is closed; the process then ends, as it would without this function. It does not drain: Node.js aborts when a process
 * exits whose terminal is gone.
 */
export function onHangUp(reload: () => void): void {
  const isInTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
  const hungUp = () => {
    if (!isInTerminal || hasTerminal()) return reload();
    process.off('SIGHUP', hungUp);
    process.kill(process.pid, 'SIGHUP');
  };
  process.on('SIGHUP', hungUp);
}

/** A terminal that was closed can no longer be opened. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
