import { messageOf, PregonError } from '@pregon/protocol';
import type { BusItem, BusPlan, LogBus } from '../../core/ports/log-driver.js';
import { parseRabbitAddress, type RabbitAddress } from './connection/address.js';
import { type Channel, openAmqp, toRefusal } from './connection/amqp.js';
import { AmqpConnection } from './connection/amqp-connection.js';
import { assertCertificates } from './connection/certificates.js';
import { KEY_STREAM_ARGUMENTS, keyStreamOf } from './kept/storage.js';
import type { RabbitRetention } from './options.js';
import { prepareQueue } from './sharing/work-queues.js';
import { ensureStream, Topology } from './topology.js';

const SEGMENT_BYTES = 67_108_864;

/** The objects that a log needs at a broker. */
export interface RabbitBusPlan extends Omit<BusPlan, 'retention'> {
  readonly retention: RabbitRetention | undefined;
}

/**
 * The exchanges, the stream and the queues of a log at a broker, for operators. AMQP can neither list bindings nor
 * query one. So {@link Bus.create} creates them, as every gateway does, and {@link Bus.check} cannot report on them.
 */
export class Bus implements LogBus {
  readonly name: string;
  readonly #stream: string;
  readonly #link: AmqpConnection;
  readonly #plan: RabbitBusPlan;

  /**
   * @throws PregonError CONFIG_INVALID if a certificate cannot be used or the broker refuses access | LOG_UNAVAILABLE
   * if the broker cannot be reached
   */
  static async open(url: string, plan: RabbitBusPlan): Promise<Bus> {
    const address = parseRabbitAddress(url);
    assertCertificates(address.certificates);
    try {
      return new Bus(address, new AmqpConnection(await openAmqp(address, 'bus'), () => {}), plan);
    } catch (cause) {
      const why = messageOf(cause);
      const unavailable = `RabbitMQ at ${address.host}:${address.port} cannot be reached: ${why}`;
      throw toRefusal(cause, address) ?? new PregonError('LOG_UNAVAILABLE', unavailable, { cause });
    }
  }

  private constructor(address: RabbitAddress, link: AmqpConnection, plan: RabbitBusPlan) {
    this.name = address.name;
    this.#stream = address.stream;
    this.#link = link;
    this.#plan = plan;
  }

  /** Reports the state of each object and changes nothing. */
  async check(): Promise<BusItem[]> {
    const items: BusItem[] = [];
    for (const exchange of this.#plan.exchanges) {
      const problem = await this.#problem((channel) => channel.checkExchange(exchange));
      items.push({ what: `exchange ${exchange}`, problem: problem ?? (await this.#exchangeProblem(exchange)) });
    }
    const missing = await this.#problem((channel) => channel.checkQueue(this.#stream));
    items.push({ what: `stream ${this.#stream}`, problem: missing ?? (await this.#streamProblem()) });
    const keys = keyStreamOf(this.#stream);
    const absent = await this.#problem((channel) => channel.checkQueue(keys));
    items.push({ what: `stream ${keys}`, problem: absent ?? (await this.#keysProblem(keys)) });
    for (const { exchange, queue } of this.#plan.queues) {
      const problem = await this.#problem((channel) => channel.checkQueue(queue));
      items.push({ what: `queue ${exchange}:${queue}`, problem: problem ?? (await this.#queueProblem(queue)) });
    }
    return items;
  }

  /** Creates what is missing and leaves existing objects unchanged. @throws PregonError CONFIG_INVALID */
  async create(): Promise<void> {
    const topology = this.#topology();
    await topology.prepareAll(this.#link);
    await ensureStream(this.#link, keyStreamOf(this.#stream), KEY_STREAM_ARGUMENTS);
    for (const name of this.#plan.queues) await prepareQueue(this.#link, topology, name);
  }

  /**
   * Deletes the stream with all its events, the stream of keys, the queues with their waiting messages, and the
   * exchanges.
   *
   * @returns the objects that existed
   */
  async drop(): Promise<string[]> {
    const dropped: string[] = [];
    const drop = async (what: string, item: (channel: Channel) => Promise<unknown>, there: BusItem['problem']) => {
      if (there !== undefined) return;
      await this.#link.onChannel(item);
      dropped.push(what);
    };
    for (const { exchange, queue } of this.#plan.queues) {
      const missing = await this.#problem((channel) => channel.checkQueue(queue));
      await drop(`queue ${exchange}:${queue}`, (channel) => channel.deleteQueue(queue), missing);
    }
    for (const stream of [this.#stream, keyStreamOf(this.#stream)]) {
      const missing = await this.#problem((channel) => channel.checkQueue(stream));
      await drop(`stream ${stream}`, (channel) => channel.deleteQueue(stream), missing);
    }
    for (const exchange of this.#plan.exchanges) {
      const absent = await this.#problem((channel) => channel.checkExchange(exchange));
      await drop(`exchange ${exchange}`, (channel) => channel.deleteExchange(exchange), absent);
    }
    return dropped;
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  #topology(): Topology {
    const { exchanges, retention } = this.#plan;
    return new Topology({ stream: this.#stream, retention: retention ?? {}, exchanges });
  }

  /** The exchange exists; declaring it with the right properties shows how it differs. */
  async #exchangeProblem(exchange: string): Promise<string | undefined> {
    const problem = await this.#problem((channel) => channel.assertExchange(exchange, 'topic', { durable: true }));
    return problem !== undefined && /inequivalent arg 'type'.*current is 'fanout'/.test(problem) ? undefined : problem;
  }

  async #streamProblem(): Promise<string | undefined> {
    const options = { durable: true, arguments: argumentsOf(this.#plan.retention ?? {}) };
    const problem = await this.#problem((channel) => channel.assertQueue(this.#stream, options));
    if (problem === undefined || /'x-queue-type'|'durable'/.test(problem)) return problem;
    return this.#plan.retention === undefined ? undefined : `its retention is not the configured one: ${problem}`;
  }

  /** A stream that drops old messages would lose the secret. */
  async #keysProblem(keys: string): Promise<string | undefined> {
    const options = { durable: true, arguments: { ...KEY_STREAM_ARGUMENTS } };
    const problem = await this.#problem((channel) => channel.assertQueue(keys, options));
    return problem !== undefined && /'x-queue-type'|'durable'|'x-max-/.test(problem) ? problem : undefined;
  }

  async #queueProblem(queue: string): Promise<string | undefined> {
    const options = { durable: true, arguments: { 'x-queue-type': 'quorum' } };
    const problem = await this.#problem((channel) => channel.assertQueue(queue, options));
    return problem !== undefined && /'x-queue-type'|'durable'/.test(problem) ? problem : undefined;
  }

  /** Returns the broker's objection to a call, in short. */
  async #problem(call: (channel: Channel) => Promise<unknown>): Promise<string | undefined> {
    try {
      await this.#link.onChannel(call);
      return undefined;
    } catch (cause) {
      const message = messageOf(cause);
      if (!this.#link.isOpen)
        throw new PregonError('LOG_UNAVAILABLE', `the connection to RabbitMQ was lost: ${message}`, { cause });
      if (/NOT_FOUND/.test(message)) return 'is missing';
      const [, said] = /with message "(.*)"$/s.exec(message) ?? [];
      return said ?? message;
    }
  }
}

/** Returns the arguments with which {@link Topology} declares a stream with a given retention. */
function argumentsOf({ maxAgeMs, maxBytes, segmentBytes = SEGMENT_BYTES }: RabbitRetention): Record<string, unknown> {
  return {
    'x-queue-type': 'stream',
    'x-stream-max-segment-size-bytes': segmentBytes,
    ...(maxBytes === undefined ? {} : { 'x-max-length-bytes': maxBytes }),
    ...(maxAgeMs === undefined ? {} : { 'x-max-age': `${Math.ceil(maxAgeMs / 1_000)}s` }),
  };
}
