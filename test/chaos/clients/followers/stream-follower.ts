import { assertEvent } from '@pregon/protocol';
import { EventSource, type FetchLike } from 'eventsource';
import { Gate } from '../gate.js';
import { Journal } from '../journal.js';
import type { FollowerReport } from '../settings.js';
import { Statistics } from '../statistics.js';
import type { Follower, FollowerOptions, Surroundings } from './follower.js';

/**
 * The pause before a new EventSource, as long as the package waits before its first reconnect. The package closes for
 * good after any answer but 200.
 */
const REOPEN_MS = 500;

/**
 * A plain `EventSource`, which resumes by its `Last-Event-ID`. Only the gateway is chosen here, anew at each request.
 */
export class StreamFollower implements Follower {
  /** The open connection, to be paused. */
  readonly gate = new Gate();
  readonly #options: FollowerOptions;
  readonly #around: Surroundings;
  readonly #statistics: Statistics;
  readonly #journal: Journal;
  #source: EventSource;
  #since: string;
  #again: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: FollowerOptions, around: Surroundings) {
    this.#options = options;
    this.#around = around;
    this.#since = options.since;
    this.#journal = new Journal(around.folder, options);
    this.#statistics = new Statistics(options.name, options.topics, this.#journal);
    this.#source = this.#open();
  }

  report(): FollowerReport {
    return this.#statistics.report();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#again);
    this.#source.close();
    this.gate.resume();
  }

  written(early: boolean): Promise<void> {
    return early ? this.#journal.left() : this.#journal.close();
  }

  #open(): EventSource {
    const url = this.#around.url('http', this.#options.path);
    url.searchParams.set('since', this.#since);
    url.searchParams.set('topics', this.#options.topics.join(','));
    const source = new EventSource(url, { fetch: this.#fetch });
    source.addEventListener('message', ({ data }) => this.#received(data));
    source.addEventListener('subscribed', ({ data, lastEventId }) => {
      this.#statistics.opened(recoveredIn(data));
      this.#since = lastEventId;
    });
    source.addEventListener('reset', ({ data }) => {
      this.#statistics.reset(data);
      this.#journal.reset('anywhere');
    });
    source.addEventListener('refused', ({ data }) => this.#journal.wrong(`refused: ${data}`));
    source.addEventListener('closing', ({ data }) => this.#journal.note(`closing: ${data}`));
    source.addEventListener('error', ({ message }) => this.#failed(message));
    return source;
  }

  readonly #fetch: FetchLike = async (given, init) => {
    const url = this.#around.url('http', this.#options.path);
    url.search = new URL(given).search;
    const response = await fetch(url, init);
    this.#statistics.connected(url.host);
    const { status, redirected, headers } = response;
    const body = response.body?.pipeThrough(this.gate.stream()) ?? null;
    return { body, url: response.url, status, redirected, headers };
  };

  #received(data: string): void {
    if (this.#closed) return;
    const event: unknown = JSON.parse(data);
    assertEvent(event);
    this.#journal.event(event);
    this.#around.seen(event);
    this.#since = event.position ?? this.#since;
  }

  #failed(message: string | undefined): void {
    if (this.#closed) return;
    this.#journal.note(`error: ${message ?? ''}`);
    // If another process has the port in the meantime, its answer is no stream. EventSource then closes for good, as in
    // browsers, and pages open a new one.
    if (this.#source.readyState !== EventSource.CLOSED) return;
    this.#again = setTimeout(() => {
      this.#source = this.#open();
    }, REOPEN_MS);
  }
}

function recoveredIn(data: string): boolean {
  const subscribed: unknown = JSON.parse(data);
  return typeof subscribed === 'object' && subscribed !== null && Reflect.get(subscribed, 'recovered') === true;
}
