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
}

/** A snapshot as it is sent: encoded once, and held as long as somebody who was promised it has not taken all of it. */
export class EncodedSnapshot {
  readonly sequence: number;
  readonly source: string | undefined;
  readonly relayed: number | undefined;
  readonly before: LogPoint;
  readonly generation: number;
  #chunks: readonly string[] | undefined;
  #takers: number;

  constructor({ chunks, takers, ...rest }: EncodedSnapshotOptions) {
    this.#chunks = chunks;
    this.#takers = takers;
    this.sequence = rest.sequence;
    this.source = rest.source;
    this.relayed = rest.relayed;
    this.before = rest.before;
    this.generation = rest.generation;
  }

  /** Undefined once it was given up: who has not taken all of it has to begin anew. */
  get chunks(): readonly string[] | undefined {
    return this.#chunks;
  }

  get isHeld(): boolean {
    return this.#takers > 0 && this.#chunks !== undefined;
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
