import { existsSync, readFileSync } from 'node:fs';
import { toError } from '@pregon/protocol';
import { type Answer, type Fields, type Figures, isAsk } from './messages.js';

type Handler = (fields: Fields) => Promise<Figures> | Figures;

/**
 * Answers the questions of the parent process, each by the handler of its name. Ends when the parent ends, however it
 * ends; by `process.exit`, so that a requested profile is written.
 */
export function answer(handlers: Readonly<Record<string, Handler>>): void {
  const all = { ...usage, ...handlers };
  process.on('message', (message) => {
    if (!isAsk(message)) return;
    const { id, op, fields } = message;
    run(all[op], fields).then(
      (figures) => reply({ id, figures }),
      (error: unknown) => reply({ id, error: `${op}: ${toError(error).stack}` }),
    );
  });
  process.on('disconnect', () => process.exit(0));
}

/** How many write system calls this process has made, as Linux counts them; 0 on other systems. */
function writes(): number {
  if (!existsSync('/proc/self/io')) return 0;
  return Number(/syscw: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? 0);
}

/** What every process can report about itself. */
const usage: Readonly<Record<string, Handler>> = {
  /** CPU time, as the operating system counts it. */
  cpu() {
    const { user, system } = process.cpuUsage();
    return { cpuMicros: user + system, writes: writes() };
  },
  /** Resident memory, after a full garbage collection if `--expose-gc` allows one. */
  memory() {
    // Pages that one collection empties are returned to the system by the next.
    for (let round = 0; round < 2; round++) globalThis.gc?.();
    return { rssBytes: process.memoryUsage.rss() };
  },
  /** Resident memory, without a garbage collection. */
  resident() {
    return { rssBytes: process.memoryUsage.rss() };
  },
};

async function run(handler: Handler | undefined, fields: Fields): Promise<Figures> {
  if (!handler) throw new TypeError('this process has no handler for this question');
  return handler(fields);
}

function reply(message: Answer): void {
  process.send?.(message);
}
