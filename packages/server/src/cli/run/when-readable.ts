import { PregonError } from '@pregon/protocol';
import { Backoff } from '../../core/time/backoff.js';
import { atMost } from '../../core/time/deadline.js';
import type { Gateway } from '../../gateway/gateway.js';
import type { Logger } from '../../gateway/options.js';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/**
 * Creates a gateway, with retries while the log cannot be read: a broker may fail at the moment in which a gateway
 * starts, and recover.
 *
 * @returns undefined if `stop` resolved in the meantime
 * @throws any error of `create` other than PregonError LOG_UNAVAILABLE
 */
export async function createWhenReadable<Made extends Gateway>(
  create: () => Promise<Made>,
  logger: Logger,
  stop: Promise<unknown>,
): Promise<Made | undefined> {
  let stopped = false;
  void stop.then(() => {
    stopped = true;
  });
  const backoff = new Backoff(FIRST_PAUSE_MS, LONGEST_PAUSE_MS, Math.random);
  while (!stopped) {
    try {
      return await create();
    } catch (error) {
      if (!(error instanceof PregonError) || error.code !== 'LOG_UNAVAILABLE') throw error;
      logger.warn({ err: error }, 'the log cannot be read yet; retrying');
    }
    await atMost(backoff.nextMs(), stop);
  }
  return undefined;
}
