import { type RevocationSource, toWaiting, type WaitingRevocation } from '../revocations/revocation-source.js';
import type { PostgresNames } from './schema.js';
import type { Session } from './session.js';
import { sqlState } from './sql-state.js';

/** Writes a revocation, and wakes the active relay at the commit. */
export function insertRevocation({ revoked, channel }: PostgresNames): string {
  return `WITH written AS (INSERT INTO ${revoked} (revocation) VALUES ($1)) SELECT pg_notify('${channel}', '')`;
}

/** The table of revocations of one outbox in PostgreSQL. */
export class PostgresRevocations implements RevocationSource {
  readonly #db: Session;
  readonly #names: PostgresNames;
  readonly #isActive: () => boolean;

  /** @param isActive whether the relay of this process drains the outbox */
  constructor(db: Session, names: PostgresNames, isActive: () => boolean) {
    this.#db = db;
    this.#names = names;
    this.#isActive = isActive;
  }

  async read(maxCount: number): Promise<readonly WaitingRevocation[]> {
    if (!this.#isActive()) return [];
    const select = `SELECT id::text AS id, revocation FROM ${this.#names.revoked} ORDER BY id LIMIT ${maxCount}`;
    try {
      return (await this.#db.query(select)).map(toWaiting);
    } catch (error) {
      // 42P01 undefined_table: the table comes with a newer migration.
      if (sqlState(error) !== '42P01') throw error;
      return [];
    }
  }

  async remove(numbers: readonly number[]): Promise<void> {
    const ids = `{${numbers.join(',')}}`;
    await this.#db.query(`DELETE FROM ${this.#names.revoked} WHERE id = ANY ($1::bigint[])`, [ids]);
  }
}
