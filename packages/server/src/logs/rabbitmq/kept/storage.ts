import { messageOf, PregonError } from '@pregon/protocol';
import type { AmqpConnection } from '../connection/amqp-connection.js';
import { ensureStream } from '../topology.js';

/** Small, because the stream holds little; without a limit on age or size, because what it holds must never be dropped. */
export const KEY_STREAM_ARGUMENTS: Readonly<Record<string, unknown>> = {
  'x-queue-type': 'stream',
  'x-stream-max-segment-size-bytes': 1_000_000,
};

/** The second stream of a log: its secret, and what it keeps outside retention. */
export function keyStreamOf(stream: string): string {
  return `${stream}.keys`;
}

/** @throws PregonError CONFIG_INVALID if this user may not make it, and it is not there, or the broker's error */
export async function ensureKeyStream(link: AmqpConnection, name: string, what: string): Promise<void> {
  try {
    await ensureStream(link, name, KEY_STREAM_ARGUMENTS);
  } catch (cause) {
    throw cause instanceof PregonError ? unusableKeys(name, what, cause) : cause;
  }
}

/** Trying again does not help: somebody has to grant the permission. */
export function unusableKeys(name: string, what: string, cause: unknown): PregonError {
  const cure = `let this user configure, write and read ${name}, or give all gateways the same "secret:"`;
  return new PregonError('CONFIG_INVALID', `${what} cannot be used: ${messageOf(cause)}; ${cure}`, { cause });
}

/** @throws Error if it was not stored: a broker that has just started confirms what it routes to nothing */
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
