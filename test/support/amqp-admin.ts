import { type Channel, connect, type Options } from 'amqplib';
import { afterTest } from './cleanup.js';

/** A channel for what an operator or another program does at the broker. It is closed after the test. */
export async function openAdmin(url: string): Promise<Admin> {
  const connection = await connect(url);
  afterTest(() => connection.close());
  const admin = new Admin(() => connection.createChannel());
  return admin;
}

export class Admin {
  readonly #openChannel: () => Promise<Channel>;

  constructor(openChannel: () => Promise<Channel>) {
    this.#openChannel = openChannel;
  }

  /** Does something on a separate channel, and waits until the broker has done it. */
  async do<Result>(work: (channel: Channel) => Promise<Result> | Result): Promise<Result> {
    const channel = await this.#openChannel();
    const result = await work(channel);
    await channel.close();
    return result;
  }

  /** Publishes as a program does that knows nothing of Pregon. */
  async publish(
    exchange: string,
    routingKey: string,
    body: Buffer | string,
    options: Options.Publish = {},
  ): Promise<void> {
    await this.do((channel) => channel.publish(exchange, routingKey, Buffer.from(body), options));
  }
}
