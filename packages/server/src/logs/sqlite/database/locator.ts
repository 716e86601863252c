import type { LogPoint } from '@pregon/protocol';
import type { SqliteNames } from './names.js';
import { numberIn } from './rows.js';
import type { Database, Statement } from './sqlite-database.js';

interface Found extends LogPoint {
  readonly sequence: number;
}

/** Finds the entry that corresponds to a sequence of a source. */
export class SqliteLocator {
  readonly #sources: SqliteNames;
  readonly #atMost: Statement;
  readonly #reached: Statement;
  readonly #dropped: Statement;
  readonly #allSources: Statement;
  readonly #any: Statement;

  constructor(database: Database, sources: SqliteNames) {
    this.#sources = sources;
    this.#atMost = database.prepare(
      `SELECT offset, fingerprint, sequence FROM entry
       WHERE source = ? AND sequence <= ? ORDER BY sequence DESC, offset DESC LIMIT 1`,
    );
    this.#reached = database.prepare('SELECT 1 AS reached FROM entry WHERE source = ? AND sequence >= ? LIMIT 1');
    this.#dropped = database.prepare('SELECT dropped FROM source WHERE id = ?');
    this.#any = database.prepare('SELECT 1 AS there FROM entry LIMIT 1');
    this.#allSources = database.prepare('SELECT id FROM source');
  }

  /**
   * Implements {@link Log.locate}. Returns the floor if the source never had an entry up to that sequence, or if the
   * whole log was trimmed.
   */
  locate(sequence: number, source: string | undefined, floor: LogPoint): LogPoint | undefined {
    const sources = this.#sourceIds(source);
    // This check comes first: if an entry is appended between the check and the search, the search finds it.
    const reached = sequence === 0 || sources.some((id) => this.#reached.get([id, sequence]) !== undefined);
    if (!reached) return this.#isAllDropped(sources, sequence) ? floor : undefined;
    let found: Found | undefined;
    for (const id of sources) {
      const candidate = this.#find(id, sequence);
      if (candidate && (!found || candidate.sequence >= found.sequence)) found = candidate;
    }
    if (found) return { offset: found.offset, fingerprint: found.fingerprint };
    return sources.some((id) => numberIn(this.#dropped.get([id]), 'dropped') > 0) ? undefined : floor;
  }

  /** Tells whether the whole log was dropped and the sequence was the last one; then the floor corresponds to it. */
  #isAllDropped(sources: readonly number[], sequence: number): boolean {
    if (this.#any.get([]) !== undefined) return false;
    return Math.max(...sources.map((id) => numberIn(this.#dropped.get([id]), 'dropped'))) - 1 === sequence;
  }

  #sourceIds(source: string | undefined): number[] {
    if (source === undefined) return this.#allSources.all([]).map((row) => numberIn(row, 'id'));
    const id = this.#sources.find(source);
    return id === undefined ? [] : [id];
  }

  #find(source: number, sequence: number): Found | undefined {
    const row = this.#atMost.get([source, sequence]);
    if (row === undefined) return undefined;
    return {
      offset: numberIn(row, 'offset'),
      fingerprint: numberIn(row, 'fingerprint'),
      sequence: numberIn(row, 'sequence'),
    };
  }
}
