import { type PregonEvent, RESERVED_EXCHANGE } from '@pregon/protocol';
import type { DeliveredEvent } from '../ports/delivery.js';
import type { LogEntry } from '../ports/log-entry.js';
import type { PositionCodec } from '../ports/positions.js';

export function isReserved({ exchange }: LogEntry): boolean {
  return exchange === RESERVED_EXCHANGE;
}

/** An event of the log on its way to connections. It is encoded once for all of them. */
export class LoggedEvent implements DeliveredEvent {
  readonly entry: LogEntry;
  /** `,"position":"…"}`: replaces the last byte of the payload in the delivered JSON text. */
  readonly #tail: Buffer;

  constructor(entry: LogEntry, position: string) {
    this.entry = entry;
    this.#tail = Buffer.from(`,"position":"${position}"}`, 'latin1');
  }

  /**
   * Makes the events of a whole page: encrypting all positions at once costs a small part of encrypting them one by
   * one. Events of the reserved exchange are left out: no client and no subscriber gets them.
   */
  static ofAll(all: readonly LogEntry[], positions: PositionCodec): LoggedEvent[] {
    const entries = all.some(isReserved) ? all.filter((entry) => !isReserved(entry)) : all;
    const texts = positions.encodeAll(entries);
    return entries.map((entry, index) => new LoggedEvent(entry, texts[index] ?? positions.encode(entry)));
  }

  get offset(): number {
    return this.entry.offset;
  }

  get position(): string {
    return this.#tail.toString('latin1', 13, this.#tail.length - 2);
  }

  /** Bytes of the JSON text, position included. */
  get size(): number {
    return this.entry.payload.length - 1 + this.#tail.length;
  }

  /** Writes the JSON text. @returns the offset in `target` where it ends */
  write(target: Buffer, at: number): number {
    const { payload } = this.entry;
    target.set(payload, at);
    // The tail overwrites the closing brace of the payload, and ends in a closing brace itself.
    target.set(this.#tail, at + payload.length - 1);
    return at + this.size;
  }

  /** The event as a new object, for handlers in this process. */
  parse(): PregonEvent {
    const text = Buffer.allocUnsafe(this.size);
    this.write(text, 0);
    return JSON.parse(text.toString('utf8'));
  }
}
