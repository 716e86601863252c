import { setImmediate as turn } from 'node:timers/promises';
import type { FindRequest, Found, StoredEntry } from '../../../core/ports/stored-entry.js';
import { findLimit } from '../../shared/found.js';
import type { ConsumeMessage } from '../connection/amqp.js';
import type { AmqpConnection } from '../connection/amqp-connection.js';
import { mayHaveId, offsetOf, toKey } from '../messages/message.js';
import type { EventEntry, StreamEntry } from '../messages/stream-entry.js';
import type { Cursor } from './cursor.js';
import type { Reader } from './reader.js';
import { STALL_MS, type Tail } from './tail.js';

/** The number of messages that one turn of the event loop examines: a millisecond of work or less. */
const MESSAGES_IN_A_TURN = 500;

/** The result of examining one message: the event if it has the id. */
interface Sighting {
  readonly event: EventEntry | undefined;
  readonly offset: number;
}

export interface FinderOptions {
  readonly tail: Tail;
  readonly reader: Reader;
  /** Opens a cursor at the first entry. */
  readonly openCursor: (
    link: AmqpConnection,
    decode: (message: ConsumeMessage) => Sighting,
  ) => Promise<Cursor<Sighting>>;
  readonly decode: (message: ConsumeMessage) => StreamEntry;
  readonly isWanted: (exchange: string) => boolean;
  readonly signal: AbortSignal;
}

/**
 * Finds events by their id: first among the remembered end of the stream, otherwise by reading all retained entries.
 */
export class Finder {
  readonly #options: FinderOptions;
  /** Each search costs the broker a consumer and this process a CPU core, so searches run one after another. */
  #before: Promise<unknown> = Promise.resolve();

  constructor(options: FinderOptions) {
    this.#options = options;
  }

  /** Implements {@link Log.find}. */
  async find(request: FindRequest): Promise<Found> {
    const limit = findLimit(request);
    const { reader } = this.#options;
    const end = await reader.head();
    const recent = await this.#findRecent(request);
    if (recent) return { entries: [recent], complete: true };
    const search = this.#before.then(() => reader.retry((link) => this.#scan(link, { ...request, limit }, end.offset)));
    this.#before = search.catch(() => undefined);
    return search;
  }

  async #findRecent({ id, source }: FindRequest): Promise<StoredEntry | undefined> {
    const { tail, reader } = this.#options;
    const point = source === undefined ? undefined : tail.current?.entries.firstOf(toKey(source, id));
    const event = point && (await reader.eventAt(point));
    return event && toStored(event);
  }

  async #scan(link: AmqpConnection, request: FindRequest & { readonly limit: number }, end: number): Promise<Found> {
    const { openCursor, isWanted, signal } = this.#options;
    const { id, source, limit } = request;
    // The first event of each source. A later event with the same id is either a repetition or delivered to no reader.
    const firsts = new Map<string, StoredEntry | undefined>();
    const found = () => [...firsts.values()].filter((entry) => entry !== undefined);
    const stopped = () => signal.aborted || request.signal?.aborted === true;
    const cursor = await openCursor(link, (message) => this.#look(message, id));
    try {
      for (let looked = 1; !stopped(); looked++) {
        if (!(await cursor.ready(STALL_MS)))
          throw new Error(`RabbitMQ sent nothing from the stream for ${STALL_MS} ms`);
        if ((cursor.nextOffset ?? end) > end) return { entries: found(), complete: true };
        const sighting = cursor.take();
        const event = sighting?.event;
        if (event && (source ?? event.event.source) === event.event.source && !firsts.has(event.event.source)) {
          if (found().length === limit) return { entries: found(), complete: false };
          firsts.set(event.event.source, isWanted(event.event.exchange) ? toStored(event) : undefined);
        }
        const isLast = source !== undefined && firsts.size > 0;
        if (isLast || sighting?.offset === end) return { entries: found(), complete: true };
        if (looked % MESSAGES_IN_A_TURN === 0) await turn();
      }
      if (signal.aborted) throw new Error('the log is closed');
      return { entries: found(), complete: false };
    } finally {
      await cursor.close();
    }
  }

  #look(message: ConsumeMessage, id: string): Sighting {
    const offset = offsetOf(message);
    if (!mayHaveId(message, id)) return { event: undefined, offset };
    const entry = this.#options.decode(message);
    return { event: entry.kind === 'event' && entry.id === id ? entry : undefined, offset };
  }
}

export function toStored({ event, attributes, id }: EventEntry): StoredEntry {
  return { ...event, ...attributes, id };
}
