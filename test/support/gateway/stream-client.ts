import { assertEvent, type PregonEvent } from '@pregon/protocol';
import { EventSource } from 'eventsource';
import { afterTest } from '../cleanup.js';
import { numberOf } from './gateway.js';
import { Inbox } from './inbox.js';

/** A block that is not an event: `subscribed`, `reset` and so on. */
export interface NamedBlock {
  readonly name: string;
  readonly data: unknown;
  readonly lastEventId: string;
}

const NAMES = ['subscribed', 'snapshot', 'reset', 'ephemeral', 'refused', 'closing'];

/** The stock `eventsource` package, which behaves as a browser's EventSource, and collects everything it receives. */
export class StreamClient {
  readonly source: EventSource;
  readonly events = new Inbox<PregonEvent>();
  readonly blocks = new Inbox<NamedBlock>();
  /** The HTTP status of each failed attempt, or undefined if there was no answer. */
  readonly failures = new Inbox<number | undefined>();

  /** Opens a client, and waits for `subscribed`. */
  static async open(url: string, headers?: Record<string, string>): Promise<StreamClient> {
    const client = new StreamClient(url, headers);
    await client.block('subscribed');
    return client;
  }

  constructor(url: string, headers: Record<string, string> = {}) {
    this.source = new EventSource(url, {
      fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, ...headers } }),
    });
    afterTest(() => this.source.close());
    this.source.onmessage = ({ data, lastEventId }) => {
      const event: unknown = JSON.parse(data);
      assertEvent(event);
      if (event.position !== lastEventId) throw new Error(`the id is not the position: ${lastEventId}`);
      this.events.push(event);
    };
    this.source.onerror = ({ code }) => this.failures.push(code);
    for (const name of NAMES) {
      this.source.addEventListener(name, ({ data, lastEventId }) => {
        this.blocks.push({ name, data: JSON.parse(data), lastEventId });
      });
    }
  }

  /** The first block with a name, also if it has already arrived. */
  block(name: string, deadlineMs?: number): Promise<NamedBlock> {
    return this.blocks.first((block): block is NamedBlock => block.name === name, deadlineMs);
  }

  async numbers(count: number, deadlineMs?: number): Promise<number[]> {
    return (await this.events.count(count, deadlineMs)).map(numberOf);
  }
}
