import { PregonError, type PregonEvent } from '@pregon/protocol';
import type { QueueName, StopConsuming, WorkQueues } from '../../../core/ports/work-queue.js';
import { atMost } from '../../../core/time/deadline.js';
import type { AmqpConnection } from '../connection/amqp-connection.js';
import type { RabbitConnection } from '../connection/connection.js';
import type { Topology } from '../topology.js';
import { QueueConsumer } from './queue-consumer.js';

export interface RabbitWorkQueuesOptions {
  /** Its own: what is being handled must not hold up what is delivered. */
  readonly connection: RabbitConnection;
  readonly topology: Topology;
  readonly maxEventBytes: number;
  readonly onWarning: (error: Error) => void;
}

const ACCESS_REFUSED = 403;
const PRECONDITION_FAILED = 406;

/** {@link WorkQueues} by durable quorum queues, which count how often they handed out a message. */
export class RabbitWorkQueues implements WorkQueues {
  readonly #options: RabbitWorkQueuesOptions;
  readonly #workers = new Set<QueueConsumer>();

  constructor(options: RabbitWorkQueuesOptions) {
    this.#options = options;
  }

  async consume(name: QueueName, handle: (event: PregonEvent) => Promise<void>): Promise<StopConsuming> {
    const { connection, maxEventBytes, onWarning, topology } = this.#options;
    const prepare = (link: AmqpConnection) => prepareQueue(link, topology, name);
    const worker = new QueueConsumer({ name, connection, prepare, handle, maxEventBytes, onWarning });
    this.#workers.add(worker);
    const stop = async () => {
      await worker.stop();
      this.#workers.delete(worker);
    };
    try {
      await worker.start();
      return stop;
    } catch (error) {
      await stop();
      throw error;
    }
  }

  /**
   * Stops all that nobody stopped.
   *
   * @param timeoutMs how long to wait for what is being handled, which is handed out again after that
   */
  async close(timeoutMs: number): Promise<void> {
    await atMost(timeoutMs, Promise.all([...this.#workers].map((worker) => worker.stop())));
    this.#workers.clear();
    await this.#options.connection.close();
  }
}

/** Makes a work queue and its exchange where they are missing. @throws PregonError CONFIG_INVALID */
export async function prepareQueue(
  link: AmqpConnection,
  topology: Topology,
  { exchange, queue }: QueueName,
): Promise<void> {
  await topology.prepare(link, exchange);
  const options = { durable: true, arguments: { 'x-queue-type': 'quorum' } };
  try {
    await link.onChannel((channel) => channel.assertQueue(queue, options));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === PRECONDITION_FAILED && /'x-queue-type'|'durable'/.test(String(error))) {
      const message = `the queue ${JSON.stringify(queue)} is no quorum queue; name another, or delete it`;
      throw new PregonError('CONFIG_INVALID', message, { cause: error });
    }
    // One with other limits is there, or we may not declare any: what is there may do.
    if (code !== PRECONDITION_FAILED && code !== ACCESS_REFUSED) throw error;
    await link.onChannel((channel) => channel.checkQueue(queue));
  }
  await link.onChannel((channel) => channel.bindQueue(queue, exchange, '#'));
}
