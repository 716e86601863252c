import type { OutboxEvent, Relay, RelayOptions } from '@pregon/outbox';
import type { PregonEvent } from '@pregon/protocol';
import { vi } from 'vitest';
import type { Bench } from '../support/outbox/bench.js';
import type { FaultyLog } from '../support/outbox/faulty-log.js';

export interface StartedRelay {
  readonly relay: Relay<number | Promise<number>>;
  /** The errors that `onError` received. */
  readonly errors: Error[];
}

/** The outbox under test, and helpers that several groups of tests share. */
export interface OutboxSubject {
  readonly bench: Bench;
  readonly log: FaultyLog;
  /**
   * A relay that polls so rarely that only notifications wake it, unless the driver has none or the options say
   * otherwise.
   */
  relayOn(on?: Bench, options?: Partial<RelayOptions>): StartedRelay;
  /** Starts a relay and waits until it has relayed everything. */
  startRelay(options?: Partial<RelayOptions>): Promise<StartedRelay>;
  event(data?: unknown): OutboxEvent;
  add(data?: unknown): Promise<PregonEvent>;
  /**
   * Adds events in one transaction.
   * @returns their ids
   */
  addAll(count: number): Promise<string[]>;
  /** Waits until this many events are in the log. */
  relayed(count: number): Promise<unknown>;
  /** The sequences of the events in the log. */
  sequences(): (number | undefined)[];
}

/** Waits for an assertion to hold, however busy the machine is. */
export function eventually(assertion: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(assertion, { timeout: 60_000, interval: 2 });
}
