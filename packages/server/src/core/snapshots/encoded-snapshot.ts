import type { LogPoint } from '@pregon/protocol';

export interface EncodedSnapshotOptions {
  /** JSON arrays; together they are all rows. At least one. */
  readonly chunks: readonly string[];
  readonly sequence: number;
  readonly source: string | undefined;
  readonly relayed: number | undefined;
  /** The edge when it began to be read: no event before it is newer than the rows, whoever asked later. */
  readonly before: LogPoint;
  /** Of which log, where one came into the place of another. */
  readonly generation: number;
  /** How many wait for it. */
  readonly takers: number;
  /** When it had been read, in milliseconds of the clock. */
  readonly readAt: number;
}

/** A snapshot as it is sent: encoded once, and held as long as somebody who was promised it has not taken all of it. */
export class EncodedSnapshot {
  readonly sequence: number;
  readonly source: string | undefined;
  readonly relayed: number | undefined;
  readonly before: LogPoint;
  readonly generation: number;
  readonly readAt: number;
  /** About how much memory it takes. */
  readonly bytes: number;
  #chunks: readonly string[] | undefined;
  #takers: number;
  #point: Promise<LogPoint> | undefined;

  constructor({ chunks, takers, ...rest }: EncodedSnapshotOptions) {
    this.#chunks = chunks;
    this.#takers = takers;
    this.sequence = rest.sequence;
    this.source = rest.source;
    this.relayed = rest.relayed;
    this.before = rest.before;
    this.generation = rest.generation;
    this.readAt = rest.readAt;
    this.bytes = chunks.reduce((sum, { length }) => sum + length, 0);
  }

  /** Undefined once it was given up: who has not taken all of it has to begin anew. */
  get chunks(): readonly string[] | undefined {
    return this.#chunks;
  }

  get isHeld(): boolean {
    return this.#takers > 0 && this.#chunks !== undefined;
  }

  /**
   * The point of the log that it stands for, sought once for all who take it: later the log may no longer know where it was.
   *
   * @throws what `find` throws; the next who asks seeks anew
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

  /** One more is to take it, and will {@link release} it. */
  hold(): this {
    this.#takers += 1;
    return this;
  }

  release(): void {
    this.#takers -= 1;
    if (this.#takers === 0) this.#chunks = undefined;
  }

  giveUp(): void {
    this.#chunks = undefined;
  }
}
