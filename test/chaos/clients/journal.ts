import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import type { PregonEvent } from '@pregon/protocol';
import type { TableName } from '../verification/truth.js';

/**
 * Where the events of a follower begin: with all retained ones, after an event that another follower received, or
 * anywhere.
 */
export type Beginning = 'first' | 'anywhere' | { readonly after: string };

export interface JournalHeader {
  readonly name: string;
  readonly topics: readonly string[];
  readonly beginning: Beginning;
  /** For a collection: the table that it must equal. */
  readonly table?: TableName;
}

/**
 * Everything that one follower received, line by line, as evidence: a letter, the time, and fields separated by tabs.
 *
 * `h` header · `e` event: connection, position, sequence, id · `n` note · `w` a fault · `r` reset: the beginning of
 * what follows · `x` it left before the end of the run
 */
export class Journal {
  received = 0;
  lastId: string | undefined;
  /** The number of connections of the follower so far. */
  connections = 0;
  readonly fromFirst: boolean;
  readonly #file: WriteStream;

  constructor(folder: string, { name, topics, beginning, table }: JournalHeader) {
    this.fromFirst = beginning === 'first';
    this.#file = createWriteStream(join(folder, `${name}.journal`));
    this.#write('h', JSON.stringify({ name, topics, beginning, table }));
  }

  event({ id, position, sequence }: PregonEvent): void {
    this.received += 1;
    this.lastId = id;
    this.#write('e', String(this.connections), position ?? '', sequence ?? '', id);
  }

  note(text: string): void {
    this.#write('n', text);
  }

  wrong(text: string): void {
    this.#write('w', text);
  }

  reset(beginning: Beginning): void {
    this.#write('r', JSON.stringify(beginning));
  }

  left(): Promise<void> {
    this.#write('x');
    return this.close();
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#file.end(resolve));
  }

  #write(kind: string, ...fields: string[]): void {
    // A socket that was ended may still deliver something.
    if (this.#file.writableEnded) return;
    this.#file.write(`${[kind, Date.now(), ...fields].join('\t')}\n`);
  }
}
