/** A process that was started here. */
export interface RunningProcess {
  /** Resolves when it has ended; one that does not end by itself is killed. */
  end(): Promise<void>;
  kill(): void;
}

export const RUNNING = new Set<RunningProcess>();

export async function endAll(): Promise<void> {
  await Promise.all([...RUNNING].map((one) => one.end()));
}

/** At once: for a signal. */
export function killAll(): void {
  for (const one of RUNNING) one.kill();
}
