import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterTest } from '../../support/cleanup.js';
import { within } from '../../support/gateway/inbox.js';
import type { Target } from '../targets/target.js';

const SCRIPT = fileURLToPath(new URL('healthy-client.mjs', import.meta.url));
const EVERY_MS = 50;

/** CPU time of the gateway's main threads, by pid, when the append of an event resolved. */
export interface Appended {
  readonly number: number;
  readonly cpuMs: readonly (readonly [pid: number, ms: number])[];
}

export interface HealthyReport {
  readonly appended: readonly Appended[];
  /** Events that were lost, came twice or out of order; a connection that was closed. */
  readonly faults: readonly string[];
}

/** A client that misbehaves in no way, in a process of its own; it must not notice what others do. */
export class HealthyClient {
  readonly #child: ChildProcess;

  static async start(target: Target): Promise<HealthyClient> {
    const { port, log, pids } = target;
    const options = { port, path: target.paths.events, log, exchange: 'healthy', pids, everyMs: EVERY_MS };
    const child = fork(SCRIPT, [JSON.stringify(options)]);
    afterTest(() => child.kill('SIGKILL'));
    await within(once(child, 'message'), 'the healthy client', 30_000);
    return new HealthyClient(child);
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Waits for the events that are on their way. */
  async stop(): Promise<HealthyReport> {
    const report = once(this.#child, 'message');
    this.#child.send('stop');
    const [said]: unknown[] = await within(report, 'the report of the healthy client', 60_000);
    if (!isReport(said)) throw new TypeError('the healthy client sent no report');
    return said;
  }
}

function isReport(said: unknown): said is HealthyReport {
  return typeof said === 'object' && said !== null && 'appended' in said && 'faults' in said;
}
