import { setImmediate as turn } from 'node:timers/promises';
import { PregonError } from '@pregon/protocol';
import { v7 as uuid } from 'uuid';
import type { KeepOptions, Kept, KeptListener, KeptState } from '../../../core/ports/kept.js';
import type { StopFollowing } from '../../../core/ports/log-entry.js';
import { Backoff } from '../../../core/time/backoff.js';
import { answerWithin, pause } from '../../../core/time/deadline.js';
import { assertRoom, KeptFollowers, toKeptValue } from '../../shared/kept-values.js';
import { toUnavailable } from '../../shared/unavailable.js';
import type { AmqpConnection } from '../connection/amqp-connection.js';
import type { RabbitConnection } from '../connection/connection.js';
import { Cursor } from '../reading/cursor.js';
import { isRefused } from '../topology.js';
import { KeptCopy } from './kept-copy.js';
import { type KeptChange, readKeptMessage, toKeptMessage } from './kept-message.js';
import { ensureKeyStream, keyStreamOf, storeInStream, unusableKeys } from './storage.js';

/** How long the broker may send nothing while messages are expected. */
const STALL_MS = 5_000;
const PREFETCH = 1_000;
/** The most changes for one event loop turn. With values of the maximum length, they take a few milliseconds. */
const CHANGES_PER_TURN = 100;
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2_000;

const WHAT = 'what the log keeps outside retention';

export interface RabbitKeptOptions {
  readonly connection: RabbitConnection;
  /** The stream that holds the log. */
  readonly stream: string;
  /** How long a call tries before it rejects with LOG_UNAVAILABLE, in milliseconds. */
  readonly timeoutMs: number;
  /** Aborted when the log is closed. */
  readonly signal: AbortSignal;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Kept values, stored as changes in the key stream of the log. A process reads the stream from its beginning at the
 * first request. The stream is never compacted: each change stays in it and takes some 300 bytes. A fence (a call of
 * `all` or `follow`, or a new connection) takes some 100 bytes. Reading 100,000 of them takes about five seconds.
 */
export class RabbitKept implements Kept {
  readonly #options: RabbitKeptOptions;
  readonly #name: string;
  readonly #followers = new KeptFollowers();
  /** The callers that wait until a change or a fence was read, by its id. */
  readonly #waiters = new Map<string, Waiter>();
  #copy: KeptCopy | undefined;
  #running: Promise<void> | undefined;
  #ensuring: { readonly link: AmqpConnection; readonly done: Promise<void> } | undefined;

  constructor(options: RabbitKeptOptions) {
    this.#options = options;
    this.#name = keyStreamOf(options.stream);
  }

  async put(key: string, value: string, options?: KeepOptions): Promise<void> {
    this.#assertOpen();
    const kept = toKeptValue(key, value, options);
    if (!this.#copy) await this.#catchUp();
    const state = this.#state();
    if (!state.has(key)) assertRoom(state.size);
    await this.#publish({ kind: 'put', id: uuid(), key, value: kept });
  }

  async delete(key: string): Promise<void> {
    this.#assertOpen();
    await this.#publish({ kind: 'delete', id: uuid(), key });
  }

  async all(): Promise<KeptState> {
    this.#assertOpen();
    await this.#catchUp();
    return this.#copy?.copyAt(Date.now()) ?? new Map();
  }

  async follow(changed: KeptListener): Promise<StopFollowing> {
    this.#assertOpen();
    await this.#catchUp();
    const leave = this.#followers.add(changed);
    changed(this.#state(), undefined);
    return async () => leave();
  }

  /** Rejects the waiting callers. */
  close(): void {
    this.#followers.clear();
    this.#reject(new PregonError('LOG_CLOSED', 'the log is closed'));
  }

  async #catchUp(): Promise<void> {
    await this.#publish({ kind: 'fence', id: uuid() });
  }

  /**
   * Stores a message, and resolves when this process has read it. If the connection is lost, stores it again on the
   * next one.
   */
  async #publish(change: KeptChange): Promise<void> {
    const { connection, timeoutMs, signal } = this.#options;
    const { body, headers } = toKeptMessage(change);
    const deadline = performance.now() + timeoutMs;
    const backoff = new Backoff(FIRST_PAUSE_MS, MAX_PAUSE_MS, Math.random);
    const read = this.#untilRead(change.id);
    this.#running ??= this.#run();
    try {
      for (;;) {
        try {
          const link = await answerWithin(deadline - performance.now(), 'connecting', connection.link());
          await this.#ensureStream(link);
          await storeInStream(link, this.#name, body, headers);
          return await answerWithin(deadline - performance.now(), 'reading the stream of keys', read);
        } catch (error) {
          if (signal.aborted) throw new PregonError('LOG_CLOSED', 'the log is closed', { cause: error });
          if (error instanceof PregonError) throw error;
          if (isRefused(error)) throw unusableKeys(this.#name, WHAT, error);
          if (performance.now() >= deadline) throw toUnavailable(error);
        }
        await pause(backoff.nextMs(), signal);
      }
    } finally {
      this.#waiters.delete(change.id);
    }
  }

  /**
   * Declares the stream once for all concurrent callers. RabbitMQ 3.10 may close a connection that declares a new
   * stream twice at the same time (541 INTERNAL_ERROR).
   */
  #ensureStream(link: AmqpConnection): Promise<void> {
    if (this.#ensuring?.link === link) return this.#ensuring.done;
    const done = ensureKeyStream(link, this.#name, WHAT).finally(() => {
      if (this.#ensuring?.done === done) this.#ensuring = undefined;
    });
    this.#ensuring = { link, done };
    return done;
  }

  #untilRead(id: string): Promise<void> {
    const read = new Promise<void>((resolve, reject) => this.#waiters.set(id, { resolve, reject }));
    // It may reject before the caller awaits it.
    read.catch(() => {});
    return read;
  }

  #reject(error: Error): void {
    for (const { reject } of this.#waiters.values()) reject(error);
    this.#waiters.clear();
  }

  /** Reads while the log is open. Stops if the broker refuses this user; the next request tries again. */
  async #run(): Promise<void> {
    const { connection, signal } = this.#options;
    const backoff = new Backoff(FIRST_PAUSE_MS, MAX_PAUSE_MS, Math.random);
    while (!signal.aborted) {
      try {
        await this.#readThrough(await connection.link(), () => backoff.reset());
      } catch (error) {
        const refused = isRefused(error) ? unusableKeys(this.#name, WHAT, error) : error;
        if (refused instanceof PregonError && !signal.aborted) {
          this.#running = undefined;
          this.#reject(refused);
          return;
        }
      }
      await pause(backoff.nextMs(), signal);
    }
  }

  /**
   * Reads the stream from its beginning into a new copy, because another stream may have replaced the former one. The
   * new copy is used once it has all changes that were stored before this connection. Ends only with an error, or when
   * the log is closed.
   */
  async #readThrough(link: AmqpConnection, onRead: () => void): Promise<void> {
    const { signal } = this.#options;
    await this.#ensureStream(link);
    const cursor = await Cursor.open(link, {
      stream: this.#name,
      from: 'first',
      prefetch: PREFETCH,
      decode: (message) => [readKeptMessage(message)].filter((change) => change !== undefined),
    });
    try {
      const copy = new KeptCopy();
      const fence = uuid();
      const { body, headers } = toKeptMessage({ kind: 'fence', id: fence });
      await storeInStream(link, this.#name, body, headers);
      const awaited: string[] = [];
      let isWhole = false;
      while (!signal.aborted) {
        if (!(await cursor.ready(isWhole ? undefined : STALL_MS))) {
          throw new Error(`the stream ${this.#name} has said nothing for ${STALL_MS} ms`);
        }
        for (const change of takeSome(cursor)) {
          copy.apply(change);
          if (this.#waiters.has(change.id)) awaited.push(change.id);
          isWhole ||= change.id === fence;
        }
        if (isWhole) {
          onRead();
          this.#show(copy, awaited.splice(0));
        }
        await turn();
      }
    } finally {
      await cursor.close();
    }
  }

  /** @param awaited the ids of changes and fences that a caller waits for and that the copy now has */
  #show(copy: KeptCopy, awaited: readonly string[]): void {
    this.#copy = copy;
    if (copy.isChanged) this.#followers.tell(this.#state(), copy.takeChanges(Date.now()));
    for (const id of awaited) this.#waiters.get(id)?.resolve();
  }

  #state(): KeptState {
    return this.#copy?.at(Date.now()) ?? new Map();
  }

  #assertOpen(): void {
    if (this.#options.signal.aborted) throw new PregonError('LOG_CLOSED', 'the log is closed');
  }
}

function takeSome(cursor: Cursor<readonly KeptChange[]>): KeptChange[] {
  const changes: KeptChange[] = [];
  for (let count = 0; count < CHANGES_PER_TURN && cursor.nextOffset !== undefined; count++) {
    changes.push(...(cursor.take() ?? []));
  }
  return changes;
}
