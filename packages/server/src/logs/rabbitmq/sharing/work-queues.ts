import { PregonError, type PregonEvent } from '@pregon/protocol';
import type { QueueName, StopConsuming, WorkQueues } from '../../../core/ports/work-queue.js';
import { atMost } from '../../../core/time/deadline.js';
import type { AmqpConnection } from '../connection/amqp-connection.js';
import type { RabbitConnection } from '../connection/connection.js';
import type { Topology } from '../topology.js';
import { QueueConsumer } from './queue-consumer.js';

export interface RabbitWorkQueuesOptions {
  /** A connection of its own, because running handlers must not delay deliveries. */
  readonly connection: RabbitConnection;
  readonly topology: Topology;
  readonly maxEventBytes: number;
  readonly onWarning: (error: Error) => void;
}

const ACCESS_REFUSED = 403;
const PRECONDITION_FAILED = 406;

/** {@link WorkQueues} over durable quorum queues, which count the deliveries of each message. */
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
   * Stops all consumers that are still running.
   *
   * @param timeoutMs how long to wait for running handlers; after that, their messages are delivered again
   */
  async close(timeoutMs: number): Promise<void> {
    await atMost(timeoutMs, Promise.all([...this.#workers].map((worker) => worker.stop())));
    this.#workers.clear();
    await this.#options.connection.close();
  }
}

/** Creates a work queue and its exchange if they are missing. @throws PregonError CONFIG_INVALID */
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
      const message = `the queue ${JSON.stringify(queue)} is not a quorum queue; name another, or delete it`;
      throw new PregonError('CONFIG_INVALID', message, { cause: error });
    }
    // The queue exists with other limits, or this user may not declare queues: the existing one may be usable.
    if (code !== PRECONDITION_FAILED && code !== ACCESS_REFUSED) throw error;
    await link.onChannel((channel) => channel.checkQueue(queue));
  }
  await link.onChannel((channel) => channel.bindQueue(queue, exchange, '#'));
}
