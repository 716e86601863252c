import { setMaxListeners } from 'node:events';
import {
  assertMaxEventBytes,
  DEFAULT_MAX_EVENT_BYTES,
  type LogPoint,
  PregonError,
  type PregonEvent,
  toError,
} from '@pregon/protocol';
import type { Ephemeral } from '../../core/ports/ephemeral.js';
import type { AppendOptions, Log } from '../../core/ports/log.js';
import type { LogFollower, Presence, ReadPage, ReadRequest, StopFollowing } from '../../core/ports/log-entry.js';
import type { FindRequest, Found, StoredEntry } from '../../core/ports/stored-entry.js';
import type { WorkQueues } from '../../core/ports/work-queue.js';
import { Backoff } from '../../core/time/backoff.js';
import { pause } from '../../core/time/deadline.js';
import { toRange } from '../shared/range.js';
import { BrokerState, toWarning } from './broker-state.js';
import { parseRabbitAddress, type RabbitAddress } from './connection/address.js';
import type { ConsumeMessage } from './connection/amqp.js';
import type { AmqpConnection } from './connection/amqp-connection.js';
import { assertCertificates } from './connection/certificates.js';
import { RabbitConnection } from './connection/connection.js';
import { KeyStream } from './kept/key-stream.js';
import { RabbitKept } from './kept/rabbit-kept.js';
import { toFence, toStreamEntry } from './messages/message.js';
import { PoisonLog } from './messages/poison-log.js';
import {
  DEFAULT_APPEND_TIMEOUT_MS,
  DEFAULT_READ_TIMEOUT_MS,
  type RabbitCounters,
  type RabbitLogOptions,
} from './options.js';
import { Appender } from './publishing/appender.js';
import { ConfirmedPublisher } from './publishing/confirmed-publisher.js';
import { ReusedIds } from './publishing/reused-ids.js';
import { Cursor } from './reading/cursor.js';
import { Finder, toStored } from './reading/finder.js';
import { Locator } from './reading/locator.js';
import { RabbitFollower } from './reading/rabbit-follower.js';
import { Reader } from './reading/reader.js';
import { RecentSequences } from './reading/recent-sequences.js';
import { Tail } from './reading/tail.js';
import { RabbitEphemeral } from './sharing/ephemeral.js';
import { RabbitWorkQueues } from './sharing/work-queues.js';
import { Topology } from './topology.js';

export interface RabbitLog extends Log {
  readonly ephemeral: Ephemeral;
  readonly queues: WorkQueues;
  readonly counters: RabbitCounters;
}

/**
 * The number of messages that the broker sends ahead: enough to read at full speed, and a few hundred KB for events of
 * usual size.
 */
const PREFETCH = 1_000;

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2_000;
/** The time for which closing waits for earlier appends. */
const CLOSE_MS = 5_000;

/**
 * Opens the log in a RabbitMQ stream (RabbitMQ 3.9 and later). It creates the stream and the exchanges (topic, durable)
 * if they are missing, and binds them; existing ones are used unchanged. If the broker cannot be reached, it waits
 * until it can. From then on, lost connections are reopened.
 *
 * **Each event once.** An event that is published again after a lost confirm, by this process or by a relay, is in the
 * stream twice; readers get the first copy. A process remembers the events of the last 50,000 to 100,000 entries. It
 * starts reading 10,000 entries before the end of the stream. A reader that begins further back first reads the 10,000
 * entries before its start. A *different* event with the id of an earlier one is refused by a process that published
 * the earlier one or reads the stream; otherwise, every process that reads both reports it. So one client could get an
 * event twice only if more than 5,000 entries lie between the two copies, and the client resumed between them at a
 * process that had just started.
 *
 * **Points.** The point before the first entry has the fingerprint of that entry, so a recreated stream is detected
 * from any point. Fences, which show where the stream ends, occupy offsets that readers never see.
 *
 * @param url `amqp://USER:PASSWORD@HOST:PORT/VHOST?stream=NAME`
 * @throws PregonError CONFIG_INVALID if the URL, a certificate, the credentials, the vhost, the queue or an exchange
 * cannot be used | LOG_CLOSED if `signal` is aborted
 * @throws RangeError if a limit is out of range
 */
export async function openRabbitLog(url: string, options: RabbitLogOptions = {}): Promise<RabbitLog> {
  const address = parseRabbitAddress(url, options.stream);
  assertCertificates(address.certificates);
  assertMaxEventBytes(options.maxEventBytes ?? DEFAULT_MAX_EVENT_BYTES);
  const log = new StreamLog(address, options);
  const stop = () => void log.close();
  options.signal?.addEventListener('abort', stop, { once: true });
  try {
    if (options.signal?.aborted) stop();
    await log.open();
    return log;
  } catch (error) {
    await log.close();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', stop);
  }
}

class StreamLog implements RabbitLog {
  readonly name: string;
  readonly ephemeral: RabbitEphemeral;
  readonly queues: RabbitWorkQueues;
  readonly kept: RabbitKept;
  readonly #closing = new AbortController();
  readonly #state: BrokerState;
  readonly #reads: RabbitConnection;
  readonly #publishes: RabbitConnection;
  readonly #topology: Topology;
  readonly #publisher: ConfirmedPublisher;
  readonly #appender: Appender;
  readonly #tail: Tail;
  readonly #reader: Reader;
  readonly #locator: Locator;
  readonly #finder: Finder;
  readonly #poison: PoisonLog;
  readonly #ids: ReusedIds;
  readonly #keys: KeyStream;
  readonly #followers = new Set<RabbitFollower>();
  #duplicates = 0;
  #repeats = 0;
  #closed: Promise<void> | undefined;

  constructor(address: RabbitAddress, options: RabbitLogOptions) {
    const { signal } = this.#closing;
    // During an outage, every read, append and follower waits on this signal.
    setMaxListeners(0, signal);
    const { stream } = address;
    const warn = options.onWarning ?? ((error: Error) => process.emitWarning(error));
    this.name = address.name;
    const { maxEventBytes = DEFAULT_MAX_EVENT_BYTES, appendTimeoutMs = DEFAULT_APPEND_TIMEOUT_MS } = options;
    const exchanges = options.exchanges && new Set(options.exchanges);
    const isWanted = (exchange: string) => exchanges === undefined || exchanges.has(exchange);
    this.#state = new BrokerState(`${address.host}:${address.port}`, options.onState ?? toWarning(warn));
    this.#reads = this.#connection(address, 'reads', true, warn);
    // Publishing has its own connection: a broker that blocks publishers stops reading their whole connection,
    // including acknowledgements.
    this.#publishes = this.#connection(address, 'publishes', false, warn);
    this.#topology = new Topology({ stream, retention: options.retention ?? {}, exchanges: [...(exchanges ?? [])] });
    this.ephemeral = new RabbitEphemeral({
      stream,
      connect: (onWaiting) => this.#connection(address, 'broadcasts', false, warn, onWaiting),
      onWarning: warn,
    });
    this.queues = new RabbitWorkQueues({
      connection: this.#connection(address, 'works', false, warn),
      topology: this.#topology,
      maxEventBytes,
      onWarning: warn,
    });
    this.#poison = new PoisonLog(stream, warn);
    this.#keys = new KeyStream({
      connection: this.#reads,
      stream,
      signal,
      onWaiting: (error) => warn(new Error(`the secret of the log cannot be read: ${error.message}`, { cause: error })),
    });
    this.#publisher = new ConfirmedPublisher({
      connection: this.#publishes,
      stream,
      topology: this.#topology,
      timeoutMs: appendTimeoutMs,
      signal,
      onRepeat: () => {
        this.#repeats += 1;
      },
    });
    const decode = { stream, maxEventBytes };
    const openCursor = (link: AmqpConnection, from: number | 'first' | 'last', prefetch = PREFETCH) =>
      Cursor.open(link, { stream, from, prefetch, decode: (message) => toStreamEntry(message, decode) });
    const sequences = new RecentSequences();
    const timeoutMs = options.readTimeoutMs ?? DEFAULT_READ_TIMEOUT_MS;
    this.kept = new RabbitKept({ connection: this.#reads, stream, timeoutMs, signal });
    this.#tail = new Tail({
      connection: this.#reads,
      topology: this.#topology,
      openCursor: (link, from, prefetch = PREFETCH) => {
        // These reads only find out where the stream and its last chunk begin.
        if (typeof from !== 'number') return openCursor(link, from, prefetch);
        sequences.readFrom(from);
        const read = (message: ConsumeMessage) => {
          const entry = toStreamEntry(message, decode);
          sequences.add(entry);
          return entry;
        };
        return Cursor.open(link, { stream, from, prefetch, decode: read });
      },
      publishFence: (id) => this.#publisher.publish([toFence(stream, id)]),
      isWanted,
      timeoutMs,
      signal,
      onPoison: (entry) => this.#poison.add(entry),
      onDuplicate: (duplicate, first) => {
        this.#duplicates += 1;
        this.#ids.judge(duplicate, first);
      },
      onReplaced: () => {
        sequences.clear();
        this.#reader.clear();
      },
    });
    this.#reader = new Reader({ connection: this.#reads, tail: this.#tail, openCursor, isWanted, timeoutMs, signal });
    this.#ids = new ReusedIds({
      tail: () => this.#tail,
      reader: () => this.#reader,
      onReused: (entry) => this.#poison.add(entry),
    });
    this.#appender = new Appender({
      stream,
      publisher: this.#publisher,
      tail: this.#tail,
      ids: this.#ids,
      maxEventBytes,
      timeoutMs: appendTimeoutMs,
    });
    this.#locator = new Locator({ tail: this.#tail, reader: this.#reader, sequences, timeoutMs });
    this.#finder = new Finder({
      tail: this.#tail,
      reader: this.#reader,
      openCursor: (link, look) => Cursor.open(link, { stream, from: 'first', prefetch: PREFETCH, decode: look }),
      decode: (message) => toStreamEntry(message, decode),
      isWanted,
      signal,
    });
  }

  get counters(): RabbitCounters {
    return { poisoned: this.#poison.count, duplicates: this.#duplicates, repeats: this.#repeats };
  }

  /** Waits until the broker can be reached and everything needed on it exists. */
  async open(): Promise<void> {
    const backoff = new Backoff(FIRST_PAUSE_MS, MAX_PAUSE_MS, Math.random);
    for (;;) {
      try {
        await this.#topology.prepareAll(await this.#reads.link());
        this.#state.connected('declares');
        return;
      } catch (error) {
        if (error instanceof PregonError) throw error;
        this.#state.waiting('declares', toError(error));
      }
      await pause(backoff.nextMs(), this.#closing.signal);
    }
  }

  async append(events: readonly PregonEvent[], options: AppendOptions = {}): Promise<LogPoint[]> {
    this.#assertOpen();
    return this.#appender.append(events, options.points ?? true);
  }

  /** Reads the secret again at each call, because `pregon bus drop` deletes it. */
  secret(): Promise<Uint8Array> {
    this.#assertOpen();
    return this.#keys.secret();
  }

  async head(): Promise<LogPoint> {
    this.#assertOpen();
    return this.#reader.head();
  }

  async floor(): Promise<LogPoint> {
    this.#assertOpen();
    return this.#reader.floor();
  }

  async check(point: LogPoint): Promise<Presence> {
    this.#assertOpen();
    return this.#reader.check(point);
  }

  async read(request: ReadRequest): Promise<ReadPage> {
    this.#assertOpen();
    return (await this.#reader.read(toRange(request))).page;
  }

  async detail(point: LogPoint): Promise<StoredEntry | undefined> {
    this.#assertOpen();
    const entry = await this.#reader.eventAt(point);
    return entry && toStored(entry);
  }

  async find(request: FindRequest): Promise<Found> {
    this.#assertOpen();
    return this.#finder.find(request);
  }

  async locate(sequence: number, source: string | undefined): Promise<LogPoint | undefined> {
    this.#assertOpen();
    return this.#locator.locate(sequence, source);
  }

  follow(after: LogPoint, target: LogFollower): StopFollowing {
    this.#assertOpen();
    const follower = new RabbitFollower(after, target, this.#tail, this.#reader);
    this.#followers.add(follower);
    return async () => {
      follower.stop();
      this.#followers.delete(follower);
    };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    for (const follower of this.#followers) follower.stop();
    this.#followers.clear();
    await this.queues.close(CLOSE_MS);
    await this.ephemeral.close();
    await this.#appender.settled(CLOSE_MS);
    this.#publisher.close();
    this.#closing.abort();
    this.kept.close();
    this.#reader.clear();
    await Promise.all([this.#reads.close(), this.#publishes.close()]);
  }

  #connection(
    address: RabbitAddress,
    purpose: string,
    refusable: boolean,
    warn: (error: Error) => void,
    onWaiting = () => {},
  ): RabbitConnection {
    return new RabbitConnection({
      address,
      purpose,
      refusable,
      signal: this.#closing.signal,
      onWaiting: (error) => {
        this.#state.waiting(purpose, error);
        onWaiting();
      },
      onConnected: () => this.#state.connected(purpose),
      onBlocked: (reason) => warn(new Error(`RabbitMQ accepts no messages for now: ${reason}`)),
    });
  }

  #assertOpen(): void {
    if (this.#closed) throw new PregonError('LOG_CLOSED', 'the log is closed');
  }
}
