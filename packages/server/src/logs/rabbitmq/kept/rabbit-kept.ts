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

/** How long the broker may be silent where there is something to send. */
const STALL_MS = 5_000;
const PREFETCH = 1_000;
/** How many changes are read in one turn of the event loop: with values of the greatest length that takes a few milliseconds. */
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
 * What a log keeps outside retention, as changes in the stream of its keys, which each process that asks reads from its beginning on.
 * The stream is never compacted: each change stays in it, some 300 bytes, and so does each fence (a call of `all` or
 * `follow`, a new connection), some 100. A hundred thousand of them are read in about five seconds by each process that starts.
 */
export class RabbitKept implements Kept {
  readonly #options: RabbitKeptOptions;
  readonly #name: string;
  readonly #followers = new KeptFollowers();
  /** By the id of a change or a fence: whoever waits until it was read. */
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

  /** Rejects whoever waits. */
  close(): void {
    this.#followers.clear();
    this.#reject(new PregonError('LOG_CLOSED', 'the log is closed'));
  }

  async #catchUp(): Promise<void> {
    await this.#publish({ kind: 'fence', id: uuid() });
  }

  /** Stores a message, again on the next connection if one is lost, and resolves when it was read here. */
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

  /** Once for all who ask meanwhile: RabbitMQ 3.10 may close a connection that declares a new stream twice at once (541 INTERNAL_ERROR). */
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
    // It may fail while nobody awaits it yet.
    read.catch(() => {});
    return read;
  }

  #reject(error: Error): void {
    for (const { reject } of this.#waiters.values()) reject(error);
    this.#waiters.clear();
  }

  /** Reads for as long as the log is open, or until this user is refused: then whoever asks next makes it try again. */
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
   * Reads all from the beginning, into a new copy: another stream may stand in the place of the one that was read. The copy is shown from
   * the moment at which it has what was stored before this connection. Ends with an error only, or when the log is closed.
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

  /** @param awaited the ids of changes and fences that somebody waits for and that are in the copy by now */
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
