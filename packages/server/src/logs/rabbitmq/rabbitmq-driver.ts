import { PregonError } from '@pregon/protocol';
import type { LogDriver } from '../../core/ports/log-driver.js';
import type { Retention } from '../../core/ports/retention.js';
import { parseRabbitAddress } from './connection/address.js';
import type { RabbitRetention } from './options.js';

/** The driver for a log in a stream: `amqp://USER:PASSWORD@HOST:PORT/VHOST?stream=NAME`, or `amqps:` for TLS. */
export const rabbitDriver: LogDriver = {
  name: 'RabbitMQ',
  schemes: ['amqp', 'amqps'],
  example: 'amqp://USER:PASSWORD@HOST/VHOST',
  // The address is parsed only when the log is opened.
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

/**
 * @throws PregonError CONFIG_INVALID if the retention has a limit on the number of events, which streams do not support
 */
function toRabbitRetention({ maxCount, ...limits }: Retention): RabbitRetention {
  if (maxCount === undefined) return limits;
  throw new PregonError('CONFIG_INVALID', 'retention.maxCount does not work with RabbitMQ: use maxAge or maxBytes');
}
