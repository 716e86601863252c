import type { OutboxEvent, Relay, RelayOptions } from '@pregon/outbox';
import type { PregonEvent } from '@pregon/protocol';
import { vi } from 'vitest';
import type { Bench } from '../support/outbox/bench.js';
import type { FaultyLog } from '../support/outbox/faulty-log.js';

export interface StartedRelay {
  readonly relay: Relay<number | Promise<number>>;
  /** What its `onError` was told. */
  readonly errors: Error[];
}

/** The outbox of the test that runs, and what tests of several subjects do with it. */
export interface OutboxSubject {
  readonly bench: Bench;
  readonly log: FaultyLog;
  /** A relay that polls so rarely that only wakes move it, where its driver hears of them, unless told otherwise. */
  relayOn(on?: Bench, options?: Partial<RelayOptions>): StartedRelay;
  /** A relay that is at work. */
  startRelay(options?: Partial<RelayOptions>): Promise<StartedRelay>;
  event(data?: unknown): OutboxEvent;
  add(data?: unknown): Promise<PregonEvent>;
  /** Adds events in one transaction. @returns their ids */
  addAll(count: number): Promise<string[]>;
  /** Waits until so many events are in the log. */
  relayed(count: number): Promise<unknown>;
  /** The sequences of the events in the log. */
  sequences(): (number | undefined)[];
}

/** Waits for an assertion to hold, however busy the machine is. */
export function eventually(assertion: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(assertion, { timeout: 60_000, interval: 2 });
}
