import { messageOf, PregonError } from '@pregon/protocol';
import type { AmqpConnection } from '../connection/amqp-connection.js';
import { ensureStream } from '../topology.js';

/**
 * The segments are small because the stream holds little. There is no limit on age or size, because nothing in it may
 * be dropped.
 */
export const KEY_STREAM_ARGUMENTS: Readonly<Record<string, unknown>> = {
  'x-queue-type': 'stream',
  'x-stream-max-segment-size-bytes': 1_000_000,
};

/**
 * Returns the name of the second stream of a log, which holds its secret and the values that it keeps outside
 * retention.
 */
export function keyStreamOf(stream: string): string {
  return `${stream}.keys`;
}

/**
 * @throws PregonError CONFIG_INVALID if the stream is missing and this user may not create it; or the broker's error
 */
export async function ensureKeyStream(link: AmqpConnection, name: string, what: string): Promise<void> {
  try {
    await ensureStream(link, name, KEY_STREAM_ARGUMENTS);
  } catch (cause) {
    throw cause instanceof PregonError ? unusableKeys(name, what, cause) : cause;
  }
}

/** Makes the final error: retries cannot help, because an operator must grant the permission. */
export function unusableKeys(name: string, what: string, cause: unknown): PregonError {
  const cure = `let this user configure, write and read ${name}, or give all gateways the same "secret:"`;
  return new PregonError('CONFIG_INVALID', `${what} cannot be used: ${messageOf(cause)}; ${cure}`, { cause });
}

/**
 * @throws Error if the message was not stored: a broker that has just started confirms messages that it routes to
 * nothing
 */
export async function storeInStream(
  link: AmqpConnection,
  name: string,
  body: Buffer,
  headers: Readonly<Record<string, unknown>>,
): Promise<void> {
  const channel = await link.confirmChannel();
  try {
    let returned = false;
    channel.on('return', () => {
      returned = true;
    });
    channel.publish('', name, body, { persistent: true, mandatory: true, headers: { ...headers } });
    await link.answer('storing a message', channel.waitForConfirms());
    if (returned) throw new Error(`the broker does not route to ${name}`);
  } finally {
    await link.closeChannel(channel);
  }
}
