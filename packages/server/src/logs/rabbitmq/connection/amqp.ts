import { messageOf, PregonError } from '@pregon/protocol';
import type { ChannelModel } from 'amqplib';
import { loadDriver } from '../../../core/load-driver.js';
import type { RabbitAddress } from './address.js';
import { readCertificates } from './certificates.js';

export type { Channel, ChannelModel, ConfirmChannel, ConsumeMessage, Options } from 'amqplib';

const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Opens a connection to the broker.
 *
 * @param purpose a name that operators see in the broker's list of connections
 * @throws PregonError CONFIG_INVALID if a certificate cannot be read; DRIVER_MISSING | the library's error
 */
export async function openAmqp(address: RabbitAddress, purpose: string): Promise<ChannelModel> {
  const { connect } = await loadDriver('amqplib', 'a log on RabbitMQ', () => import('amqplib'));
  return connect(
    {
      protocol: address.tls ? 'amqps' : 'amqp',
      hostname: address.host,
      port: address.port,
      username: address.user,
      password: address.password,
      vhost: encodeURIComponent(address.vhost),
      heartbeat: address.heartbeatSeconds,
    },
    {
      noDelay: true,
      timeout: CONNECT_TIMEOUT_MS,
      clientProperties: { connection_name: `pregon ${purpose}` },
      ...readCertificates(address.certificates),
    },
  );
}

/**
 * Returns the error for a refusal that retries cannot change: the broker knows this user or vhost and denies access.
 */
export function toRefusal(error: unknown, address: RabbitAddress): PregonError | undefined {
  if (error instanceof PregonError && error.code === 'DRIVER_MISSING') return error;
  const message = messageOf(error);
  const at = `RabbitMQ at ${address.host}:${address.port}`;
  const user = `user ${JSON.stringify(address.user)}`;
  if (/ACCESS.REFUSED/.test(message)) {
    return new PregonError('CONFIG_INVALID', `${at} refused ${user}: the name or the password is wrong`, {
      cause: error,
    });
  }
  // If the vhost cannot be opened, the library reports only that the connection was closed.
  if (/Expected ConnectionOpenOk; got <ConnectionClose/.test(message)) {
    const vhost = `vhost ${JSON.stringify(address.vhost)}`;
    return new PregonError(
      'CONFIG_INVALID',
      `${at} refused ${vhost}: it does not exist, or ${user} has no access to it`,
      {
        cause: error,
      },
    );
  }
  return undefined;
}

/** Ends a connection that may be frozen, without asking the broker. */
export function destroyAmqp({ connection }: ChannelModel, reason: Error): void {
  const stream = 'stream' in connection ? connection.stream : undefined;
  // The stream is destroyed with an error, because only an error makes the library stop its heartbeats.
  if (isDestroyable(stream)) stream.destroy(reason);
}

function isDestroyable(stream: unknown): stream is { destroy(error: Error): void } {
  return typeof stream === 'object' && stream !== null && 'destroy' in stream && typeof stream.destroy === 'function';
}
