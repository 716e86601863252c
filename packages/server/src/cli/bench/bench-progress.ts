import type { LoadRun, Progress } from '../../load/load-run.js';
import type { LoadOptions } from '../../load/options.js';
import { complain } from '../terminal/output.js';
import { visible } from '../terminal/terminal-text.js';
import { bytes, count, milliseconds } from './bench-report.js';

const TERMINAL_MS = 1_000;
const PLAIN_MS = 10_000;

/** Moves the cursor to the start of the line and clears the line. */
const CLEAR = '\r\u001b[K';

/**
 * Reports progress on standard error: a terminal gets one line that changes, anything else gets a new line every 10 s.
 */
export class BenchProgress {
  readonly #run: LoadRun;
  readonly #terminal = process.stderr.isTTY;
  readonly #timer: NodeJS.Timeout;
  #before: Progress;
  #at = performance.now();

  constructor(run: LoadRun, { target, connections, connectRate }: LoadOptions) {
    this.#run = run;
    this.#before = run.progress();
    complain(`run ${run.name}: ${count(connections)} connections to ${target.url}, ${count(connectRate)} per second`);
    this.#timer = setInterval(() => this.#say(), this.#terminal ? TERMINAL_MS : PLAIN_MS);
  }

  end(): void {
    clearInterval(this.#timer);
    if (this.#terminal) process.stderr.write(CLEAR);
  }

  #say(): void {
    const now = this.#run.progress();
    const seconds = (performance.now() - this.#at) / 1_000;
    const line = describe(now, this.#before, seconds);
    this.#before = now;
    this.#at = performance.now();
    if (this.#terminal) process.stderr.write(`${CLEAR}${visible(line)}`);
    else complain(line);
  }
}

function describe(now: Progress, before: Progress, seconds: number): string {
  const perSecond = (value: number, earlier: number) => Math.max(0, value - earlier) / seconds;
  const parts = [`${now.phase} ${Math.round(now.seconds)} s`, `${count(now.open)}/${count(now.asked)} open`];
  if (now.failedAttempts > 0) parts.push(`${count(now.failedAttempts)} attempts failed`);
  if (now.phase !== 'connecting') {
    parts.push(
      `${count(perSecond(now.published, before.published))} published/s`,
      `${count(perSecond(now.events, before.events))} delivered/s`,
      `${bytes(perSecond(now.bytes, before.bytes))}/s`,
      `p50 ${milliseconds(now.p50Ms)}, p99 ${milliseconds(now.p99Ms)}`,
    );
  }
  if (now.reordered > 0) parts.push(`${count(now.reordered)} out of order`);
  if (now.duplicates > 0) parts.push(`${count(now.duplicates)} twice`);
  return parts.join(' · ');
}
