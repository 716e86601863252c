import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import type { PregonEvent } from '@pregon/protocol';
import type { TableName } from '../verification/truth.js';
import type { Token } from './users/user.js';

/**
 * Where the events of a follower begin: with all retained ones, after an event that another follower received, or
 * anywhere.
 */
export type Beginning = 'first' | 'anywhere' | { readonly after: string };

export interface JournalHeader {
  readonly name: string;
  /** The subject of its tokens. */
  readonly user: string;
  /** The topics of the events that it must receive, and may receive. */
  readonly topics: readonly string[];
  readonly beginning: Beginning;
  /** For a collection: the table that it must equal. */
  readonly table?: TableName;
}

/**
 * Everything that one follower received, line by line, as evidence: a letter, the time, and fields separated by tabs.
 *
 * `h` header · `a` a new token: when it was issued and when it expires · `t` the topics from now on · `e` event:
 * connection, position, sequence, id · `n` note · `w` a fault · `f` an unexpected refusal · `v` its token
 * was revoked · `r` reset: the beginning of
 * what follows · `x` it left before the end of the run
 */
export class Journal {
  received = 0;
  lastId: string | undefined;
  /** The number of connections of the follower so far. */
  connections = 0;
  /** Whether it has all events from the first one on that match its topics. */
  fromFirst: boolean;
  readonly user: string;
  #topics: string;
  readonly #file: WriteStream;

  constructor(folder: string, { name, user, topics, beginning, table }: JournalHeader) {
    this.fromFirst = beginning === 'first';
    this.user = user;
    this.#topics = JSON.stringify(topics);
    this.#file = createWriteStream(join(folder, `${name}.journal`));
    this.#write('h', JSON.stringify({ name, user, topics, beginning, table }));
  }

  /** The token of all following connections. */
  token({ issuedAtMs, expiresAtMs }: Token): void {
    this.#write('a', String(issuedAtMs), String(expiresAtMs));
  }

  topics(topics: readonly string[]): void {
    const text = JSON.stringify(topics);
    if (text === this.#topics) return;
    this.#topics = text;
    this.fromFirst = false;
    this.#write('t', text);
  }

  event({ id, position, sequence }: PregonEvent): void {
    this.received += 1;
    this.lastId = id;
    this.#write('e', String(this.connections), position ?? '', sequence ?? '', id);
  }

  note(text: string): void {
    this.#write('n', text);
  }

  /** The gateway said that the token is revoked. */
  revoked(text: string): void {
    this.#write('v', text);
  }

  wrong(text: string): void {
    this.#write('w', text);
  }

  refused(text: string): void {
    this.#write('f', text);
  }

  reset(beginning: Beginning): void {
    if (beginning === 'first') {
      this.fromFirst = true;
      this.received = 0;
      this.lastId = undefined;
    }
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
