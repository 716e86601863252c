import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import type { PregonEvent } from '@pregon/protocol';
import type { TableName } from '../verification/truth.js';

/** Where what a follower receives begins: with all that is retained, after an event that somebody else had, or anywhere. */
export type Beginning = 'first' | 'anywhere' | { readonly after: string };

export interface JournalHeader {
  readonly name: string;
  readonly topics: readonly string[];
  readonly beginning: Beginning;
  /** Of a collection: the table that it must equal. */
  readonly table?: TableName;
}

/**
 * What one follower was given, line by line, as evidence: a letter, the time, and fields between tabs.
 *
 * `h` header · `e` event: connection, position, sequence, id · `n` note · `w` what must not be · `r` reset: the beginning of what
 * follows · `x` it left before the end of the run
 */
export class Journal {
  received = 0;
  lastId: string | undefined;
  /** Counts the connections of the follower. */
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
    // A socket that is ended may still have something to say.
    if (this.#file.writableEnded) return;
    this.#file.write(`${[kind, Date.now(), ...fields].join('\t')}\n`);
  }
}
