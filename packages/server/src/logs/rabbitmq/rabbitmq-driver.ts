import { PregonError } from '@pregon/protocol';
import type { LogDriver } from '../../core/ports/log-driver.js';
import type { Retention } from '../../core/ports/retention.js';
import { parseRabbitAddress } from './connection/address.js';
import type { RabbitRetention } from './options.js';

/** A log in a stream: `amqp://USER:PASSWORD@HOST:PORT/VHOST?stream=NAME`, `amqps:` for TLS. */
export const rabbitDriver: LogDriver = {
  name: 'RabbitMQ',
  schemes: ['amqp', 'amqps'],
  example: 'amqp://USER:PASSWORD@HOST/VHOST',
  // The address is taken apart when it is opened: a broker that is set up later is waited for.
  assertUrl() {},
  capabilities: () => ({ processes: 'many' }),
  async open(url, { retention, ...options }) {
    const limits = retention === undefined ? {} : { retention: toRabbitRetention(retention) };
    return (await import('./rabbitmq-log.js')).openRabbitLog(url, { ...options, ...limits });
  },
  admin: {
    show: (url) => parseRabbitAddress(url).name,
    async bus(url, { retention, ...plan }) {
      const limits = retention && toRabbitRetention(retention);
      return (await import('./bus.js')).Bus.open(url, { ...plan, retention: limits });
    },
  },
};

/** @throws PregonError CONFIG_INVALID if it counts events, which a stream cannot */
function toRabbitRetention({ maxCount, ...limits }: Retention): RabbitRetention {
  if (maxCount === undefined) return limits;
  throw new PregonError('CONFIG_INVALID', 'retention.maxCount: RabbitMQ keeps by maxAge and maxBytes, not by count');
}
