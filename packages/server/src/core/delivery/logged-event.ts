import type { PregonEvent } from '@pregon/protocol';
import type { DeliveredEvent } from '../ports/delivery.js';
import type { LogEntry } from '../ports/log-entry.js';
import type { PositionCodec } from '../ports/positions.js';

/** An event of the log on its way to connections: encoded once, whoever and however many it goes to. */
export class LoggedEvent implements DeliveredEvent {
  readonly entry: LogEntry;
  /** `,"position":"…"}`: what takes the place of the payload's last byte in the JSON text that is delivered. */
  readonly #tail: Buffer;

  constructor(entry: LogEntry, position: string) {
    this.entry = entry;
    this.#tail = Buffer.from(`,"position":"${position}"}`, 'latin1');
  }

  /** A page at once: encrypting its positions together costs a small part of doing it one by one. */
  static ofAll(entries: readonly LogEntry[], positions: PositionCodec): LoggedEvent[] {
    const texts = positions.encodeAll(entries);
    return entries.map((entry, index) => new LoggedEvent(entry, texts[index] ?? positions.encode(entry)));
  }

  get offset(): number {
    return this.entry.offset;
  }

  get position(): string {
    return this.#tail.toString('latin1', 13, this.#tail.length - 2);
  }

  /** Bytes of the JSON text with its position. */
  get size(): number {
    return this.entry.payload.length - 1 + this.#tail.length;
  }

  /** Writes the JSON text, and returns where it ends. */
  write(target: Buffer, at: number): number {
    const { payload } = this.entry;
    target.set(payload, at);
    // The payload's closing brace is overwritten by the tail, which ends in one.
    target.set(this.#tail, at + payload.length - 1);
    return at + this.size;
  }

  /** The event as an object, made anew for each call: for handlers in this process. */
  parse(): PregonEvent {
    const text = Buffer.allocUnsafe(this.size);
    this.write(text, 0);
    return JSON.parse(text.toString('utf8'));
  }
}
