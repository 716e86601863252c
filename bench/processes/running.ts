/** A process that this one started. */
export interface RunningProcess {
  /** Resolves when the process has ended. If it does not end by itself, it is killed. */
  end(): Promise<void>;
  kill(): void;
}

export const RUNNING = new Set<RunningProcess>();

export async function endAll(): Promise<void> {
  await Promise.all([...RUNNING].map((one) => one.end()));
}

/** Kills all processes at once, on a signal. */
export function killAll(): void {
  for (const one of RUNNING) one.kill();
}
