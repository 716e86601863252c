import { randomBytes, randomInt } from 'node:crypto';
import type { LogPoint, PregonEvent } from '@pregon/protocol';
import type { Ephemeral } from '../../core/ports/ephemeral.js';
import type { Log, LogOptions } from '../../core/ports/log.js';
import { IndexedLog } from '../shared/indexed/indexed-log.js';
import { assertRetention, type Retention, type TrimResult } from '../shared/retention.js';
import { MemoryEphemeral } from './memory-ephemeral.js';

export interface MemoryLog extends Log {
  readonly ephemeral: Ephemeral;
  trim(limits: Pick<Retention, 'maxCount'>): Promise<TrimResult>;
  /** Replaces this log by a new, empty one, as if its file had been replaced. */
  replace(): void;
}

/**
 * Opens a log in the memory of this process. It gives the same guarantees as other logs, except durability. For tests.
 *
 * @example
 * const log = openMemoryLog();
 * await log.append([event]);
 */
export function openMemoryLog(options: LogOptions = {}): MemoryLog {
  return new ArrayLog(newBirth(), options);
}

/** A log in an array: the place of a payload is the payload itself. */
class ArrayLog extends IndexedLog<Uint8Array> implements MemoryLog {
  readonly name = 'memory:';
  readonly ephemeral = new MemoryEphemeral();
  readonly #secret = randomBytes(32);

  async append(events: readonly PregonEvent[]): Promise<LogPoint[]> {
    const encoded = this.encode(events);
    const fresh = [...this.fresh(encoded).values()];
    this.add(
      fresh,
      fresh.map(({ payload }) => payload),
    );
    return this.pointsOf(encoded);
  }

  async secret(): Promise<Uint8Array> {
    this.assertOpen();
    return this.#secret;
  }

  async trim(limits: Pick<Retention, 'maxCount'>): Promise<TrimResult> {
    this.assertOpen();
    assertRetention(limits);
    const dropped = this.dropAllBut(limits.maxCount ?? Number.POSITIVE_INFINITY);
    return { dropped, floor: await this.floor() };
  }

  replace(): void {
    this.startOver(newBirth());
  }

  override async close(): Promise<void> {
    this.ephemeral.close();
    await super.close();
  }

  protected payloadAt(place: Uint8Array): Uint8Array {
    return place;
  }
}

function newBirth(): LogPoint {
  return { offset: 0, fingerprint: randomInt(2 ** 32) * 2 ** 15 + randomInt(2 ** 15) };
}
