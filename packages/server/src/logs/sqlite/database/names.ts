import { numberIn, textIn } from './rows.js';
import type { Database, Statement } from './sqlite-database.js';

const MAX_CACHED = 10_000;

/** A table of names that stores each name once, under a number. Both directions are cached. */
export class SqliteNames {
  readonly #numbers = new Map<string, number>();
  readonly #texts = new Map<number, string>();
  readonly #find: Statement;
  readonly #add: Statement;
  readonly #text: Statement;

  constructor(database: Database, table: 'name' | 'source') {
    this.#find = database.prepare(`SELECT id FROM ${table} WHERE text = ?`);
    this.#add = database.prepare(`INSERT INTO ${table} (text) VALUES (?)`);
    this.#text = database.prepare(`SELECT text FROM ${table} WHERE id = ?`);
  }

  /** Returns the number of a name; undefined if no entry has had the name. */
  find(name: string): number | undefined {
    const cached = this.#numbers.get(name);
    if (cached !== undefined) return cached;
    const row = this.#find.get([JSON.stringify(name)]);
    return row === undefined ? undefined : this.#remember(name, numberIn(row, 'id'));
  }

  /**
   * Returns the number of a name and assigns one if it has none. Call it only in a transaction; after a rollback, call
   * {@link forget}.
   */
  intern(name: string): number {
    const known = this.find(name);
    if (known !== undefined) return known;
    const text = JSON.stringify(name);
    this.#add.run([text]);
    return this.#remember(name, numberIn(this.#find.get([text]), 'id'));
  }

  text(id: number): string {
    const cached = this.#texts.get(id);
    if (cached !== undefined) return cached;
    const name: unknown = JSON.parse(textIn(this.#text.get([id]), 'text'));
    this.#remember(String(name), id);
    return String(name);
  }

  forget(): void {
    this.#numbers.clear();
    this.#texts.clear();
  }

  #remember(name: string, id: number): number {
    if (this.#numbers.size >= MAX_CACHED) this.forget();
    this.#numbers.set(name, id);
    this.#texts.set(id, name);
    return id;
  }
}
