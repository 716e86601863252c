import { CLOSE_CODES, toError } from '@pregon/protocol';
import type { Clock } from '../core/time/clock.js';
import { atMost } from '../core/time/deadline.js';
import type { ClientRegistry } from '../transports/client-registry.js';

export interface DrainOptions {
  /** Over how long clients are told to spread their return. */
  readonly spreadMs: number;
  /** When to stop waiting for them to be gone. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** Sends everybody away: each with a moment of its own to come back, so that the next gateway is not stormed. */
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
