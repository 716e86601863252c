import { CLOSE_CODES, toError } from '@pregon/protocol';
import type { Clock } from '../core/time/clock.js';
import { atMost } from '../core/time/deadline.js';
import type { ClientRegistry } from '../transports/client-registry.js';

export interface DrainOptions {
  /** Each client gets a random reconnect delay between 0 and this number of milliseconds. */
  readonly spreadMs: number;
  /** When to stop waiting for connections to end. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/**
 * Closes all connections. Each client is told a reconnect delay of its own, so that they do not all reach the next
 * gateway at once.
 */
export async function drain(registry: ClientRegistry, { spreadMs, timeoutMs, clock }: DrainOptions): Promise<void> {
  for (const connection of registry.connections) {
    try {
      connection.announceDraining(Math.round(Math.random() * spreadMs));
      connection.close(CLOSE_CODES.DRAINING);
    } catch (error) {
      connection.failed(toError(error));
    }
  }
  await atMost(timeoutMs, registry.empty(), clock);
}
