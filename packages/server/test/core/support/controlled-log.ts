import type { LogPoint, PregonEvent } from '@pregon/protocol';
import type { Log } from '../../../src/core/ports/log.js';
import type { LogFollower, Presence, ReadPage, ReadRequest, StopFollowing } from '../../../src/core/ports/log-entry.js';
import type { FindRequest } from '../../../src/core/ports/stored-entry.js';
import { type MemoryLog, openMemoryLog } from '../../../src/logs/memory/memory-log.js';

export type Call = 'head' | 'floor' | 'check' | 'read' | 'locate';

/** Holds calls until it is opened; they continue one by one, in any order, or all at once. */
export class Gate {
  readonly #waiting: (() => void)[] = [];
  #open = false;

  get waiting(): number {
    return this.#waiting.length;
  }

  pass(): Promise<void> {
    if (this.#open) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  letOne(index = 0): void {
    this.#waiting.splice(index, 1)[0]?.();
  }

  open(): void {
    this.#open = true;
    for (const go of this.#waiting.splice(0)) go();
  }
}

/** A real log that counts its answers, and delays or refuses them when the test says so. */
export class ControlledLog implements Log {
  readonly name = 'controlled';
  readonly inner: MemoryLog;
  readonly calls: Record<Call, number> = { head: 0, floor: 0, check: 0, read: 0, locate: 0 };
  readonly #before = new Map<Call, Gate>();
  readonly #after = new Map<Call, Gate>();
  readonly #failures = new Map<Call, Error>();
  readonly #followers = new Set<LogFollower>();
  #told: (() => void)[] | undefined;

  constructor(inner: MemoryLog = openMemoryLog()) {
    this.inner = inner;
  }

  get kept() {
    return this.inner.kept;
  }

  secret(): Promise<Uint8Array> {
    return this.inner.secret();
  }

  /** From now on such calls wait: `before` they read the log, or `after`, with an answer that may then be outdated. */
  hold(call: Call, when: 'before' | 'after'): Gate {
    const gate = new Gate();
    (when === 'before' ? this.#before : this.#after).set(call, gate);
    return gate;
  }

  /** Makes the next such call reject. */
  fail(call: Call, error: Error): void {
    this.#failures.set(call, error);
  }

  /** Holds back events from followers until {@link ControlledLog.tellFollowers}. */
  holdFollowers(): void {
    this.#told ??= [];
  }

  tellFollowers(): void {
    const told = this.#told ?? [];
    this.#told = undefined;
    for (const tell of told) tell();
  }

  /** Reports an outage, as a log does. */
  tellAway(error: Error): void {
    for (const follower of this.#followers) follower.unavailable(error);
  }

  tellBack(): void {
    for (const follower of this.#followers) follower.available();
  }

  append(events: readonly PregonEvent[]): Promise<LogPoint[]> {
    return this.inner.append(events);
  }

  head(): Promise<LogPoint> {
    return this.#call('head', () => this.inner.head());
  }

  floor(): Promise<LogPoint> {
    return this.#call('floor', () => this.inner.floor());
  }

  check(point: LogPoint): Promise<Presence> {
    return this.#call('check', () => this.inner.check(point));
  }

  read(request: ReadRequest): Promise<ReadPage> {
    return this.#call('read', () => this.inner.read(request));
  }

  detail(point: LogPoint) {
    return this.inner.detail(point);
  }

  find(request: FindRequest) {
    return this.inner.find(request);
  }

  locate(sequence: number, source: string | undefined): Promise<LogPoint | undefined> {
    return this.#call('locate', () => this.inner.locate(sequence, source));
  }

  follow(after: LogPoint, follower: LogFollower): StopFollowing {
    const tell = (what: () => void) => (this.#told ? this.#told.push(what) : what());
    this.#followers.add(follower);
    return this.inner.follow(after, {
      appended: (page) => void tell(() => follower.appended(page)),
      replaced: (head) => void tell(() => follower.replaced(head)),
      unavailable: (error) => void tell(() => follower.unavailable(error)),
      available: () => void tell(() => follower.available()),
    });
  }

  close(): Promise<void> {
    return this.inner.close();
  }

  async #call<Result>(call: Call, work: () => Promise<Result>): Promise<Result> {
    this.calls[call] += 1;
    await this.#before.get(call)?.pass();
    const failure = this.#failures.get(call);
    this.#failures.delete(call);
    if (failure) throw failure;
    const result = await work();
    await this.#after.get(call)?.pass();
    return result;
  }
}
