import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { messageOf } from '@pregon/protocol';
import type { RefusalLog } from '../../core/refusals/refusal-log.js';
import { logRefusal } from '../../transports/http/refusal.js';

/** Calls transports so that a failure ends only the connection of the client that caused it. */
export class TransportFailures {
  readonly #refusals: RefusalLog;

  constructor(refusals: RefusalLog) {
    this.#refusals = refusals;
  }

  /** @param carrier is destroyed if `work` throws or rejects */
  guard(request: IncomingMessage, carrier: Duplex, work: () => void | Promise<void>): void {
    const failed = (error: unknown): void => {
      const refusal = { status: 500, reason: 'transport', message: `a transport failed: ${messageOf(error)}` };
      logRefusal(this.#refusals, request, refusal);
      carrier.destroy();
    };
    try {
      // The type of `work` also admits async functions; a rejection must not end the process.
      const done: unknown = work();
      if (done instanceof Promise) done.catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}
