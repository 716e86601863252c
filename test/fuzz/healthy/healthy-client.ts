import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterTest } from '../../support/cleanup.js';
import { within } from '../../support/gateway/inbox.js';
import type { Target } from '../targets/target.js';

const SCRIPT = fileURLToPath(new URL('healthy-client.mjs', import.meta.url));
const EVERY_MS = 50;

/** For one event: the CPU time of the gateway's main threads, by pid, when its append resolved. */
export interface Appended {
  readonly number: number;
  readonly cpuMs: readonly (readonly [pid: number, ms: number])[];
}

export interface HealthyReport {
  readonly appended: readonly Appended[];
  /** Events that were lost, repeated or out of order, and a closed connection. */
  readonly faults: readonly string[];
}

/** A well-behaved client in its own process, which must not be affected by other clients. */
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

  /** Waits for the pending events, and returns the report. */
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
