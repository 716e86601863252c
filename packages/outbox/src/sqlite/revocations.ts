import type { Revocation } from '@pregon/protocol';
import { encodeRevocation } from '../revocations/revocation-row.js';
import { type RevocationSource, toWaiting, type WaitingRevocation } from '../revocations/revocation-source.js';
import { sqliteRevokedTable } from '../sql.js';
import { inTransaction, isMissingTable, type SqliteDatabase, type SqliteWriter, withoutWaiting } from './database.js';

/** Writes a revocation in the transaction that is open on the connection. @throws TypeError if the table is missing */
export function insertRevocation(db: SqliteWriter, table: string, revocation: Revocation): void {
  const revoked = sqliteRevokedTable(table);
  try {
    db.prepare(`INSERT INTO ${revoked} (revocation) VALUES (?)`).run(encodeRevocation(revocation));
  } catch (error) {
    if (!isMissingTable(error)) throw error;
    throw new TypeError(`there is no table ${revoked}: call migrate(db) first`, { cause: error });
  }
}

/** The table of revocations of one outbox in SQLite. */
export class SqliteRevocations implements RevocationSource {
  readonly #db: SqliteDatabase;
  readonly #table: string;

  constructor(db: SqliteDatabase, table: string) {
    this.#db = db;
    this.#table = sqliteRevokedTable(table);
  }

  read(maxCount: number): readonly WaitingRevocation[] {
    const select = `SELECT id, revocation FROM ${this.#table} ORDER BY id LIMIT ?`;
    try {
      // BEGIN fails while the caller has a transaction open on this connection, whose rows may be rolled back.
      return withoutWaiting(this.#db, () =>
        inTransaction(this.#db, 'BEGIN', () => this.#db.prepare(select).all(maxCount).map(toWaiting)),
      );
    } catch (error) {
      // An older migration does not create the table.
      if (!isMissingTable(error)) throw error;
      return [];
    }
  }

  remove(numbers: readonly number[]): void {
    withoutWaiting(this.#db, () =>
      inTransaction(this.#db, 'BEGIN IMMEDIATE', () => {
        const remove = this.#db.prepare(`DELETE FROM ${this.#table} WHERE id = ?`);
        for (const number of numbers) remove.run(number);
      }),
    );
  }
}
