import { assertEvent } from '@pregon/protocol';
import { EventSource, type FetchLike } from 'eventsource';
import { Gate } from '../gate.js';
import { Journal } from '../journal.js';
import type { FollowerReport } from '../settings.js';
import { Statistics } from '../statistics.js';
import { type Presented, ticketOf, tokenHeader } from '../users/credentials.js';
import { type Again, Session } from '../users/session.js';
import { expectedOf, type Follower, type FollowerOptions, type Surroundings } from './follower.js';

/**
 * The pause before a new EventSource, as long as the package waits before its first reconnect. The package closes for
 * good after any answer but 200.
 */
const REOPEN_MS = 500;

export interface StreamFollowerOptions extends FollowerOptions {
  readonly presents: Presented;
}

/**
 * A plain `EventSource`, which resumes by its `Last-Event-ID`. Only the gateway is chosen here, and the token shown, anew
 * at each request.
 */
export class StreamFollower implements Follower {
  /** The open connection, to be paused. */
  readonly gate = new Gate();
  readonly #options: StreamFollowerOptions;
  readonly #around: Surroundings;
  readonly #statistics: Statistics;
  readonly #journal: Journal;
  readonly #session: Session;
  #source: EventSource;
  #since: string;
  /** Why the last request was refused. */
  #reason = '';
  #again: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: StreamFollowerOptions, around: Surroundings) {
    const { name, user, asks, since } = options;
    this.#options = options;
    this.#around = around;
    this.#since = since;
    this.#journal = new Journal(around.folder, expectedOf(options));
    this.#statistics = new Statistics(name, expectedOf(options).topics, this.#journal);
    this.#session = new Session(user, asks, this.#journal, this.#statistics);
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
    const { asks } = this.#session;
    if (asks.length > 0) url.searchParams.set('topics', asks.join(','));
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
    source.addEventListener('refused', ({ data }) => this.#refused(data));
    source.addEventListener('closing', ({ data }) => this.#closing(data));
    source.addEventListener('error', ({ code, message }) => this.#failed(code, message));
    return source;
  }

  readonly #fetch: FetchLike = async (given, init) => {
    const url = this.#around.url('http', this.#options.path);
    url.search = new URL(given).search;
    const response = await fetch(url, { ...init, headers: { ...init.headers, ...(await this.#present(url)) } });
    const { status, redirected, headers } = response;
    if (status === 200) this.#statistics.connected(url.host);
    this.#reason = headers.get('www-authenticate') ?? '';
    const body = response.body?.pipeThrough(this.gate.stream()) ?? null;
    return { body, url: response.url, status, redirected, headers };
  };

  async #present(url: URL): Promise<Record<string, string>> {
    const token = await this.#session.token();
    if (this.#options.presents === 'header') return tokenHeader(token);
    url.searchParams.set('ticket', await ticketOf(this.#around.url('http', this.#options.path), token));
    return {};
  }

  #received(data: string): void {
    if (this.#closed) return;
    const event: unknown = JSON.parse(data);
    assertEvent(event);
    this.#journal.event(event);
    this.#around.seen(event);
    this.#since = event.position ?? this.#since;
  }

  #refused(data: string): void {
    const refusal: unknown = JSON.parse(data);
    if (Reflect.get(Object(refusal), 'code') !== 'FORBIDDEN') return this.#journal.refused(data);
    this.#come(this.#session.forbidden(data));
    // By itself, it would ask for the same topics again.
    this.#source.close();
    this.#reopen();
  }

  #closing(data: string): void {
    this.#journal.note(`closing: ${data}`);
    // After `refused`, it has returned already.
    if (this.#source.readyState === EventSource.CLOSED) return;
    const closing: unknown = JSON.parse(data);
    this.#come(this.#session.ended(Number(Reflect.get(Object(closing), 'code')), data));
  }

  #come(again: Again): void {
    if (again === 'anew') this.#since = 'first';
  }

  #failed(status: number | undefined, message: string | undefined): void {
    if (this.#closed) return;
    this.#journal.note(`error: ${message ?? ''}`);
    if (status !== undefined && status !== 200)
      this.#come(this.#session.refused(status, `${message ?? ''} ${this.#reason}`));
    // If another process has the port in the meantime, its answer is no stream. EventSource then closes for good, as in
    // browsers, and pages open a new one.
    if (this.#source.readyState !== EventSource.CLOSED) return;
    this.#reopen();
  }

  #reopen(): void {
    clearTimeout(this.#again);
    this.#again = setTimeout(() => {
      this.#source = this.#open();
    }, REOPEN_MS);
  }
}

function recoveredIn(data: string): boolean {
  const subscribed: unknown = JSON.parse(data);
  return typeof subscribed === 'object' && subscribed !== null && Reflect.get(subscribed, 'recovered') === true;
}
