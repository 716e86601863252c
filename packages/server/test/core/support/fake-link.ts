import type { CloseCode, PregonEvent, RequestId } from '@pregon/protocol';
import type { Message } from '../../../src/core/broadcasts/message.js';
import type { Chunk } from '../../../src/core/delivery/chunk.js';
import type { ControlFrame, Link } from '../../../src/core/ports/link.js';
import { eventBlocks } from '../../../src/transports/sse/event-blocks.js';
import { eventFrames } from '../../../src/transports/websocket/event-formats.js';
import { decodeEvents } from './decode.js';

/** What a client sees, decoded from the actual bytes. */
export type Received =
  | { readonly op: 'event'; readonly id: RequestId; readonly event: PregonEvent }
  | { readonly op: 'snapshot'; readonly id: RequestId; readonly rows: readonly unknown[]; readonly more: boolean }
  | { readonly op: 'ephemeral'; readonly message: Message }
  | ControlFrame;

/** A link without a socket: it decodes what is written, fills up, and is drained when the test says so. */
export class FakeLink implements Link {
  readonly transport: 'pregon.v1' | 'sse';
  readonly received: Received[] = [];
  /** The buffers of the chunks, as they were passed in. */
  readonly buffers: Buffer[] = [];
  /** Chunks and snapshot rows that were written although the link had said that it is full. */
  overfilled = 0;
  /** The number of writes; everything that is written while the link is held counts as one. */
  pieces = 0;
  #held = false;
  /** The maximum of the waiting bytes. */
  peak = 0;
  bufferedBytes = 0;
  takenBytes = 0;
  /** How many bytes may wait; Infinity for a client that takes everything at once. */
  limit = Number.POSITIVE_INFINITY;
  closedWith: CloseCode | undefined;
  reading = true;
  pings = 0;
  #wasFull = false;
  canPing = true;
  onReceived: ((received: Received) => void) | undefined;
  /** Called before a chunk is written: to throw, or to do something else during a flush. */
  onEvents: (() => void) | undefined;

  constructor(transport: 'pregon.v1' | 'sse' = 'pregon.v1') {
    this.transport = transport;
  }

  get full(): boolean {
    return this.closedWith !== undefined || this.bufferedBytes > this.limit;
  }

  get delivered(): PregonEvent[] {
    return this.received.flatMap((received) => (received.op === 'event' ? [received.event] : []));
  }

  get eventIds(): string[] {
    return this.delivered.map(({ id }) => id);
  }

  /** Everything but events, checkpoints and the first `welcome`. */
  get frames(): Exclude<Received, { op: 'event' | 'checkpoint' | 'welcome' }>[] {
    return this.received.flatMap((received) =>
      received.op === 'event' || received.op === 'checkpoint' || received.op === 'welcome' ? [] : [received],
    );
  }

  get checkpoints(): string[] {
    return this.received.flatMap((received) => (received.op === 'checkpoint' ? [received.position] : []));
  }

  /** Lets the client read the waiting bytes, or some of them. @returns whether a socket would report a drain */
  read(bytes = this.bufferedBytes): boolean {
    const taken = Math.min(bytes, this.bufferedBytes);
    this.bufferedBytes -= taken;
    this.takenBytes += taken;
    const drained = this.#wasFull && this.bufferedBytes === 0;
    if (drained) this.#wasFull = false;
    return drained;
  }

  events(id: RequestId, chunk: Chunk): void {
    this.onEvents?.();
    if (!this.#held) this.pieces += 1;
    if (this.full) this.overfilled += 1;
    const sse = this.transport === 'sse';
    const bytes = chunk.bytes(sse ? eventBlocks : eventFrames);
    this.buffers.push(bytes);
    this.#buffer(bytes.length);
    for (const event of decodeEvents(bytes, sse ? 'sse' : 'websocket')) this.#receive({ op: 'event', id, event });
  }

  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.pieces += 1;
  }

  snapshot(id: RequestId, rows: string, more: boolean): void {
    if (this.full) this.overfilled += 1;
    this.#buffer(rows.length);
    const parsed: unknown = JSON.parse(rows);
    if (!Array.isArray(parsed)) throw new Error('rows is not an array');
    this.#receive({ op: 'snapshot', id, rows: parsed, more });
  }

  control(frame: ControlFrame): void {
    this.#buffer(JSON.stringify(frame).length);
    this.#receive(frame);
  }

  message(message: Message): boolean {
    if (this.full) return false;
    this.#receive({ op: 'ephemeral', message });
    return true;
  }

  setReading(reading: boolean): void {
    this.reading = reading;
  }

  ping(): boolean {
    this.pings += 1;
    return this.canPing;
  }

  close(code: CloseCode): void {
    this.closedWith ??= code;
  }

  #buffer(bytes: number): void {
    if (this.limit === Number.POSITIVE_INFINITY) this.takenBytes += bytes;
    else this.bufferedBytes += bytes;
    this.#wasFull ||= this.bufferedBytes > this.limit;
    this.peak = Math.max(this.peak, this.bufferedBytes);
  }

  #receive(received: Received): void {
    this.received.push(received);
    this.onReceived?.(received);
  }
}
