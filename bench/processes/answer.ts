import { existsSync, readFileSync } from 'node:fs';
import { toError } from '@pregon/protocol';
import { type Answer, type Fields, type Figures, isAsk } from './messages.js';

type Handler = (fields: Fields) => Promise<Figures> | Figures;

/**
 * Answers what the process that started this one asks, each question by the handler of its name. Ends with its asker, however that one
 * ends; by `process.exit`, so that a profile that was asked for is written.
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

/** How often this process has called the kernel to write, by Linux's count; 0 elsewhere. */
function writes(): number {
  if (!existsSync('/proc/self/io')) return 0;
  return Number(/syscw: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? 0);
}

/** What every process can say of itself. */
const usage: Readonly<Record<string, Handler>> = {
  /** CPU time, as the operating system counts it. */
  cpu() {
    const { user, system } = process.cpuUsage();
    return { cpuMicros: user + system, writes: writes() };
  },
  /** Resident memory, after a full garbage collection where `--expose-gc` allows it. */
  memory() {
    // What one collection has emptied is given back with the next.
    for (let round = 0; round < 2; round++) globalThis.gc?.();
    return { rssBytes: process.memoryUsage.rss() };
  },
  /** Resident memory as it is. */
  resident() {
    return { rssBytes: process.memoryUsage.rss() };
  },
};

async function run(handler: Handler | undefined, fields: Fields): Promise<Figures> {
  if (!handler) throw new TypeError('this process does not know how');
  return handler(fields);
}

function reply(message: Answer): void {
  process.send?.(message);
}
