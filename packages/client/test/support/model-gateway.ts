import type { GatewayFrame, PregonEvent, SubscribeFrame } from '@pregon/protocol';
import type { FakeSocket } from './fake-socket.js';

export interface Row {
  readonly id: number;
  readonly value: number;
}

/** How an event or a row of a snapshot is written: unchanged, with its key as a string, or unreadable. */
export type Writing = 'plain' | 'string' | 'broken';

/** The fault of each snapshot: one of its rows cannot be read, or the gateway refuses it. */
export type SnapshotFault = 'broken' | 'refused' | undefined;

export function write({ id, value }: Row, writing: Writing): unknown {
  if (writing === 'broken') return { id, value: 'broken' };
  return { id: writing === 'string' ? String(id) : id, value };
}

/**
 * A gateway as the protocol describes it, with one table behind its snapshot, for one subscription. Its frames are in
 * transit until the test delivers them, and are lost with the connection.
 */
export class ModelGateway {
  readonly table = new Map<number, Row>();
  /** The table at every position so far. */
  readonly history = new Map<string, ReadonlyMap<number, Row>>();
  readonly chunkRows: number;
  snapshotFault: SnapshotFault;
  #socket: FakeSocket | undefined;
  #flight: (GatewayFrame | PregonEvent)[] = [];
  #subscription: SubscribeFrame | undefined;
  #log: PregonEvent[] = [];
  #epoch = 0;
  #floor = 0;

  constructor(chunkRows: number) {
    this.chunkRows = chunkRows;
    this.#remember();
  }

  get #head(): string {
    return `${this.#epoch}-${this.#log.length}`;
  }

  /** Whether no frame is in transit. */
  get idle(): boolean {
    return this.#flight.length === 0;
  }

  accept(socket: FakeSocket): void {
    this.#socket = socket;
    this.#subscription = undefined;
    this.#flight = [{ op: 'welcome', connection: 'c', heartbeatMs: 25_000 }];
    socket.onFrame = (frame) => {
      if (socket === this.#socket && frame.op === 'ping') this.#flight.push({ op: 'pong' });
      if (socket !== this.#socket) return;
      if (frame.op === 'unsubscribe' && frame.id === this.#subscription?.id) {
        this.#subscription = undefined;
        this.#flight.push({ op: 'unsubscribed', id: frame.id });
      }
      if (frame.op !== 'subscribe') return;
      this.#subscription = frame;
      this.#answer(frame);
    };
  }

  put(id: number, value: number, writing: Writing = 'plain'): void {
    const row = { id, value };
    this.table.set(id, row);
    this.#append('Put', write(row, writing));
  }

  remove(id: number, writing: Writing = 'plain'): void {
    if (!this.table.delete(id)) return;
    // An application sends a part of a deleted row; without its key, the client cannot know the row.
    this.#append('Removed', writing === 'broken' ? {} : { id: writing === 'string' ? String(id) : id });
  }

  /** One event that changes several rows. */
  change(rows: readonly Row[], removed: readonly number[], writing: Writing): void {
    for (const id of removed) this.table.delete(id);
    for (const row of rows) this.table.set(row.id, row);
    this.#append('Changed', { put: rows.map((row) => write(row, writing)), remove: removed });
  }

  /** An event that changes nothing. */
  repeat(id: number): void {
    const row = this.table.get(id);
    if (row !== undefined) this.#append('Put', row);
  }

  checkpoint(): void {
    if (this.#subscription) this.#flight.push({ op: 'checkpoint', id: this.#subscription.id, position: this.#head });
  }

  /** Drops all but the head of the log: an older position cannot be served. */
  truncate(): void {
    this.#floor = this.#log.length;
  }

  /** Replaces the log and the table by others. */
  replace(rows: readonly Row[]): void {
    this.#epoch++;
    this.#floor = 0;
    this.#log = [];
    this.table.clear();
    for (const row of rows) this.table.set(row.id, row);
    this.#remember();
    const { id } = this.#subscription ?? {};
    if (id === undefined) return;
    this.#flight.push({ op: 'reset', id, reason: 'replaced' });
    this.#snapshot(id);
  }

  /** Delivers the frames in transit, at most `count`. */
  deliver(count: number): void {
    const socket = this.#socket;
    for (let i = 0; i < count && socket === this.#socket && this.#socket !== undefined; i++) {
      const frame = this.#flight.shift();
      if (frame === undefined) return;
      socket?.deliver(frame);
    }
  }

  lose(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#subscription = undefined;
    this.#flight = [];
    socket?.lose();
  }

  #append(type: string, data: unknown): void {
    const number = this.#log.length + 1;
    const event: PregonEvent = {
      specversion: '1.0',
      id: `${this.#epoch}/${number}`,
      source: '/model',
      type,
      topic: 'row',
      exchange: 'my_events',
      data,
      position: `${this.#epoch}-${number}`,
    };
    this.#log.push(event);
    this.#remember();
    if (this.#subscription) this.#flight.push(event);
  }

  #remember(): void {
    this.history.set(this.#head, new Map(this.table));
  }

  #answer({ id, since }: SubscribeFrame): void {
    const [epoch, offset] = (since ?? '').split('-').map(Number);
    if (since !== undefined && epoch === this.#epoch && offset !== undefined && offset >= this.#floor) {
      this.#flight.push({ op: 'subscribed', id, position: since, recovered: true }, ...this.#log.slice(offset));
      return;
    }
    if (since !== undefined) {
      this.#flight.push({ op: 'reset', id, reason: epoch === this.#epoch ? 'truncated' : 'replaced' });
    }
    this.#snapshot(id);
  }

  #snapshot(id: number): void {
    if (this.snapshotFault === 'refused') {
      this.#subscription = undefined;
      const message = 'the application is gone';
      this.#flight.push({ op: 'error', id, code: 'SNAPSHOT_UNAVAILABLE', message, retryable: true });
      return;
    }
    const rows: unknown[] = [...this.table.values()];
    if (this.snapshotFault === 'broken') rows.push(write({ id: 0, value: 0 }, 'broken'));
    do {
      const chunk = rows.splice(0, this.chunkRows);
      this.#flight.push({ op: 'snapshot', id, rows: chunk, more: rows.length > 0 });
    } while (rows.length > 0);
    this.#flight.push({ op: 'subscribed', id, position: this.#head, recovered: false });
  }
}
