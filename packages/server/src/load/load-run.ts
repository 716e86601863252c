import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { pause } from '../core/time/deadline.js';
import { type Order, OrderOfArrival, UNKNOWN_ORDER } from './check/order.js';
import { Sightings } from './check/sightings.js';
import { Tally } from './check/tally.js';
import { Connections } from './clients/connections.js';
import { Storm } from './clients/storm.js';
import type { Failure } from './failure.js';
import { NumberedEvents } from './numbered-event.js';
import { checkOptions, type LoadOptions } from './options.js';
import { type Outlet, Publisher } from './publisher.js';
import { type LoadResult, latenciesOf } from './result.js';
import { TopicPlan } from './topic-plan.js';

/** If no event arrives for this long, missing events count as lost. */
const PATIENCE_MS = 5_000;

/** The same after Ctrl-C, because the user is waiting. */
const SHORT_PATIENCE_MS = 1_500;

/** How long the run waits for duplicates after all events arrived. */
const LINGER_MS = 200;

const POLL_MS = 20;

/** The first connection could not be opened, so no further one was tried. */
export class CannotConnectError extends Error {
  readonly failure: Failure;

  constructor(url: string, failure: Failure) {
    super(`cannot connect to ${url}: ${failure.reason}${failure.advice ? `; ${failure.advice}` : ''}`);
    this.failure = failure;
  }
}

/** The progress of a run. */
export interface Progress {
  readonly phase: 'connecting' | 'measuring' | 'finishing';
  /** Seconds since the phase began. */
  readonly seconds: number;
  readonly open: number;
  readonly asked: number;
  readonly failedAttempts: number;
  readonly published: number;
  /** Events and bytes received since the run began. */
  readonly events: number;
  readonly bytes: number;
  /** Latency quantiles of all events so far. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly duplicates: number;
  readonly reordered: number;
}

/** A run: it opens connections, publishes events, and checks what the connections receive. */
export class LoadRun {
  readonly name = `bench${randomBytes(6).toString('hex')}`;
  readonly plan: TopicPlan;
  readonly #options: LoadOptions;
  readonly #tally: Tally;
  readonly #publisher: Publisher | undefined;
  readonly #connections: Connections;
  readonly #stop: AbortSignal;
  #phase: Progress['phase'] = 'connecting';
  #phaseBeganAt = performance.now();
  #storm: Storm | undefined;

  /**
   * @param outlet publishes the events; without one, the run measures events of other publishers
   * @param stop ends the run early, with the results so far
   * @param order that of the log, if it is known. @default order of arrival, if all connections have the same
   * subscriptions
   * @throws RangeError if a number is out of range
   * @throws PregonError TOPIC_INVALID
   */
  constructor(options: LoadOptions, outlet: Outlet | undefined, stop: AbortSignal, order?: Order) {
    checkOptions(options);
    this.#options = options;
    this.#stop = stop;
    this.plan = new TopicPlan({
      connections: options.connections,
      topics: options.topics,
      perConnection: options.topicsPerConnection,
      publishTopics: options.publishTopics,
    });
    const events = new NumberedEvents(this.name, options.size);
    this.#publisher = outlet && new Publisher({ outlet, events, topics: this.plan.published });
    this.#tally = new Tally(outlet !== undefined);
    this.#connections = new Connections({
      count: options.connections,
      target: options.target,
      plan: this.plan,
      sightings: new Sightings(events, order ?? (this.plan.isShared ? new OrderOfArrival() : UNKNOWN_ORDER)),
      tally: this.#tally,
      nextNumber: () => this.#published,
    });
  }

  /**
   * @throws CannotConnectError
   * @throws PublishError if not even the first event can be published
   */
  async run(): Promise<LoadResult> {
    await this.#publisher?.tryOut();
    try {
      const failure = await this.#connections.openFirst(this.#stop);
      if (failure) throw new CannotConnectError(this.#options.target.url, failure);
      await this.#connections.openOthers(this.#options.connectRate, this.#stop);
      return await this.#measure();
    } finally {
      await this.#connections.close();
    }
  }

  progress(): Progress {
    const { events, others, bytes, latency, duplicates, reordered } = this.#tally;
    return {
      phase: this.#phase,
      seconds: (performance.now() - this.#phaseBeganAt) / 1_000,
      open: this.#connections.open,
      asked: this.#connections.asked,
      failedAttempts: sum(this.#connections.failures),
      published: this.#publisher?.confirmed ?? 0,
      events: events + others,
      bytes,
      p50Ms: latency.quantile(0.5) / 1_000,
      p99Ms: latency.quantile(0.99) / 1_000,
      duplicates,
      reordered,
    };
  }

  get #published(): number {
    return this.#publisher?.next ?? 0;
  }

  async #measure(): Promise<LoadResult> {
    const { durationMs, rate, storm } = this.#options;
    this.#enter('measuring');
    const before = { cpu: process.cpuUsage(), loop: performance.eventLoopUtilization(), ...this.#came() };
    const beganAt = performance.now();
    this.#publisher?.start(rate);
    await this.#wait(beganAt + durationMs / (storm ? 2 : 1));
    if (storm && !this.#stop.aborted) this.#storm = new Storm(this.#connections, this.#published);
    await this.#wait(beganAt + durationMs);
    const seconds = Math.max(1, performance.now() - beganAt) / 1_000;
    const cpu = process.cpuUsage(before.cpu);
    const loop = performance.eventLoopUtilization(before.loop);
    const { events, bytes } = this.#came();
    this.#enter('finishing');
    await this.#finish();
    return this.#result({
      seconds,
      cpuSeconds: (cpu.user + cpu.system) / 1e6,
      loopBusy: loop.utilization,
      events: events - before.events,
      bytes: bytes - before.bytes,
    });
  }

  #came(): { events: number; bytes: number } {
    return { events: this.#tally.events + this.#tally.others, bytes: this.#tally.bytes };
  }

  #enter(phase: Progress['phase']): void {
    this.#phase = phase;
    this.#phaseBeganAt = performance.now();
  }

  async #wait(until: number): Promise<void> {
    while (performance.now() < until && !this.#stop.aborted && this.#publisher?.failure === undefined) {
      this.#storm?.look();
      await pause(Math.min(POLL_MS, Math.max(1, until - performance.now())));
    }
  }

  /** Waits until all events have arrived, or no more arrive. */
  async #finish(): Promise<void> {
    const patience = () => (this.#stop.aborted ? SHORT_PATIENCE_MS : PATIENCE_MS);
    await this.#publisher?.stop(patience());
    const end = this.#lastConfirmed();
    let seen = -1;
    let seenAt = performance.now();
    while (performance.now() - seenAt < patience()) {
      this.#storm?.look();
      const allOpen = this.#connections.open === this.#connections.everOpened;
      if (allOpen && this.#connections.complete(end)) {
        await pause(LINGER_MS);
        return;
      }
      const progress = this.#tally.events + this.#connections.resumed;
      if (progress !== seen) {
        seen = progress;
        seenAt = performance.now();
      }
      await pause(POLL_MS);
    }
  }

  /** One more than the largest confirmed number. */
  #lastConfirmed(): number {
    let end = this.#published;
    while (end > 0 && this.#publisher?.unconfirmed.has(end - 1)) end -= 1;
    return end;
  }

  #result(measured: {
    seconds: number;
    cpuSeconds: number;
    loopBusy: number;
    events: number;
    bytes: number;
  }): LoadResult {
    const { target } = this.#options;
    const tally = this.#tally;
    const connections = this.#connections;
    const publisher = this.#publisher;
    const unconfirmed: ReadonlySet<number> = publisher?.unconfirmed ?? new Set();
    const { lost, undelivered } = connections.missing(this.#published, unconfirmed);
    const expected = connections.expected(this.#published, unconfirmed);
    const faults = lost + undelivered + tally.duplicates + tally.reordered + tally.unasked + connections.resets;
    return {
      url: target.url,
      protocol: target.subprotocol ?? 'plain',
      run: this.name,
      ok: faults === 0 && connections.open === connections.asked && publisher?.failure === undefined,
      seconds: measured.seconds,
      connections: {
        asked: connections.asked,
        opened: connections.everOpened,
        openAtEnd: connections.open,
        seconds: connections.openingMs / 1_000,
        perSecond: connections.everOpened / Math.max(0.001, connections.openingMs / 1_000),
        handshakeMs: latenciesOf(connections.handshake),
        failedAttempts: Object.fromEntries(connections.failures),
        lost: Object.fromEntries(connections.losses),
        resumed: connections.resumed,
        resets: connections.resets,
      },
      ...(publisher && {
        published: {
          events: publisher.confirmed,
          perSecond: publisher.confirmed / measured.seconds,
          topics: this.plan.published.length,
          retries: publisher.retries,
          unconfirmed: unconfirmed.size,
          ...(publisher.failure && { failure: publisher.failure.message }),
        },
      }),
      delivered: {
        events: expected - lost - undelivered,
        expected,
        perSecond: measured.events / measured.seconds,
        bytes: measured.bytes,
        bytesPerSecond: measured.bytes / measured.seconds,
      },
      ...(tally.latency.count > 0 && { latencyMs: latenciesOf(tally.latency) }),
      lost,
      undelivered,
      reordered: tally.reordered,
      duplicates: tally.duplicates,
      unasked: tally.unasked,
      others: { events: tally.others, messages: tally.messages },
      ...(this.#storm && { storm: this.#storm.result }),
      tool: {
        cpuSeconds: measured.cpuSeconds,
        cores: measured.cpuSeconds / measured.seconds,
        loopBusy: measured.loopBusy,
      },
      findings: tally.findings,
      advice: Object.fromEntries(connections.advice),
    };
  }
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}
