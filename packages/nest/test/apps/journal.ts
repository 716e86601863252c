import { ConsoleLogger } from '@nestjs/common';

/** Records what happened, in order, for the tests. */
export class Journal {
  readonly lines: string[] = [];

  note(line: string): void {
    this.lines.push(line);
  }
}

/** A logger that writes only to the journal. */
export class JournalLogger extends ConsoleLogger {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    super();
    this.#journal = journal;
  }

  override log(message: unknown): void {
    this.#journal.note(`log: ${String(message)}`);
  }

  override warn(message: unknown): void {
    this.#journal.note(`warn: ${String(message)}`);
  }

  override error(message: unknown): void {
    this.#journal.note(`error: ${String(message)}`);
  }

  override debug(): void {}
}
