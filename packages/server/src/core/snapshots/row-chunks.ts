import { PregonError } from '@pregon/protocol';

const CHUNK_CHARACTERS = 65_536;

/** Joins the rows of a snapshot to JSON arrays of about 64 KiB. A larger row gets a chunk of its own. */
export class RowChunks {
  readonly #maxBytes: number;
  #chunks: string[] = [];
  #texts: string[] = [];
  #length = 0;
  #characters = 0;

  /** @param maxBytes the most characters of all chunks together */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The number of JSON characters so far. */
  get characters(): number {
    return this.#characters;
  }

  /** @throws PregonError SNAPSHOT_UNAVAILABLE if the snapshot becomes too large */
  add(row: unknown): void {
    this.addText(JSON.stringify(row) ?? 'null');
  }

  /** @param text the JSON of a row. @throws PregonError SNAPSHOT_UNAVAILABLE if the snapshot becomes too large */
  addText(text: string): void {
    if (this.#length + text.length > CHUNK_CHARACTERS && this.#texts.length > 0) this.#cut();
    this.#texts.push(text);
    this.#length += text.length;
    this.#characters += text.length;
    if (this.#characters > this.#maxBytes) throw tooLarge(this.#maxBytes);
  }

  /** At least one JSON array; together they contain all rows. */
  end(): readonly string[] {
    this.#cut();
    return this.#chunks;
  }

  #cut(): void {
    this.#chunks.push(`[${this.#texts.join(',')}]`);
    this.#texts = [];
    this.#length = 0;
  }
}

export function tooLarge(maxBytes: number): PregonError {
  return new PregonError(
    'SNAPSHOT_UNAVAILABLE',
    `the snapshot is larger than ${maxBytes} bytes: make it smaller, or raise maxSnapshotBytes`,
  );
}
