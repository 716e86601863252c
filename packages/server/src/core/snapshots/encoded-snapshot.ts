import type { LogPoint } from '@pregon/protocol';

export interface EncodedSnapshotOptions {
  /** Equal for snapshots that clients may share. */
  readonly key: string;
  /** At least one JSON array; together they contain all rows. */
  readonly chunks: readonly string[];
  readonly sequence: number;
  readonly source: string | undefined;
  readonly relayed: number | undefined;
  /**
   * The edge when reading began: the rows include every event before it. This also holds for subscriptions that joined
   * the read later.
   */
  readonly before: LogPoint;
  /** The generation of the log: it changes when the log is replaced. */
  readonly generation: number;
  /** How many subscriptions wait for the snapshot. */
  readonly takers: number;
  /** When reading ended, in milliseconds of the clock. */
  readonly readAt: number;
}

/** What a snapshot takes in memory beside its rows and its key, rounded up. Many small ones must not count as nothing. */
const OVERHEAD_BYTES = 1_024;

/** A snapshot that is encoded once, and held until every subscription that waits for it has taken all of it. */
export class EncodedSnapshot {
  readonly key: string;
  readonly sequence: number;
  readonly source: string | undefined;
  readonly relayed: number | undefined;
  readonly before: LogPoint;
  readonly generation: number;
  readonly readAt: number;
  /** The approximate memory size. */
  readonly bytes: number;
  #chunks: readonly string[] | undefined;
  #takers: number;
  #point: Promise<LogPoint> | undefined;
  #freed: (() => void) | undefined;

  constructor({ chunks, takers, ...rest }: EncodedSnapshotOptions) {
    this.#chunks = chunks;
    this.#takers = takers;
    this.key = rest.key;
    this.sequence = rest.sequence;
    this.source = rest.source;
    this.relayed = rest.relayed;
    this.before = rest.before;
    this.generation = rest.generation;
    this.readAt = rest.readAt;
    this.bytes = chunks.reduce((sum, { length }) => sum + length, OVERHEAD_BYTES + this.key.length);
  }

  /** Undefined once the snapshot was given up: a subscription that has not taken all of it must start again. */
  get chunks(): readonly string[] | undefined {
    return this.#chunks;
  }

  get isHeld(): boolean {
    return this.#takers > 0 && this.#chunks !== undefined;
  }

  /**
   * The point of the log that the snapshot stands for. It is located once for all subscriptions: later, the log may
   * have dropped it.
   *
   * @throws the error of `find`; the next call tries again
   */
  point(find: (snapshot: this) => Promise<LogPoint>): Promise<LogPoint> {
    if (!this.#point) {
      const point = find(this);
      this.#point = point;
      point.catch(() => {
        this.#point = undefined;
      });
    }
    return this.#point;
  }

  /** Adds a subscription, which must {@link release} the snapshot. */
  hold(): this {
    this.#takers += 1;
    return this;
  }

  release(): void {
    this.#takers -= 1;
    if (this.#takers === 0) this.giveUp();
  }

  giveUp(): void {
    if (!this.#chunks) return;
    this.#chunks = undefined;
    this.#freed?.();
  }

  /** Calls back once the snapshot is no longer held. */
  onFreed(callback: () => void): void {
    this.#freed = callback;
  }
}
