import type { PostgresOutbox } from '@pregon/outbox';
import type { UserEvents } from '../../users/events.js';
import { asUser } from '../../users/row.js';
import type { User, UserDraft } from '../../users/schema.js';
import type { Saved, UserStore } from '../../users/store.js';
import type { Connections, Transaction } from './connections.js';

export interface PostgresUsersParts {
  readonly connections: Connections;
  readonly outbox: Pick<PostgresOutbox, 'add'>;
  readonly events: UserEvents;
  /** @default the system's clock */
  readonly now?: () => Date;
}

const time = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Times are read as the text that was written. */
const COLUMNS = `id, name, email, ${time('created_at')} AS "createdAt", ${time('updated_at')} AS "updatedAt"`;

export async function selectUsers(transaction: Transaction): Promise<User[]> {
  return (await transaction.query(SELECT_ALL)).rows.map(asUser);
}

export async function countUsers(transaction: Transaction): Promise<[number]> {
  const { rows } = await transaction.query<{ count: string }>('SELECT count(*) AS count FROM users');
  return [Number(rows[0]?.count)];
}

const SELECT_ALL = `SELECT ${COLUMNS} FROM users ORDER BY id`;
const SELECT_ONE = `SELECT ${COLUMNS} FROM users WHERE id = $1`;
const INSERT = `INSERT INTO users (id, name, email, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)
  ON CONFLICT (id) DO NOTHING RETURNING ${COLUMNS}`;
const UPDATE = `UPDATE users SET name = $2, email = $3, updated_at = $4 WHERE id = $1 RETURNING ${COLUMNS}`;
const DELETE = `DELETE FROM users WHERE id = $1 RETURNING ${COLUMNS}`;

/**
 * Each change comes before its event. A concurrent change of the same row waits for this commit, so its event gets the
 * later sequence.
 */
export function createPostgresUsers(parts: PostgresUsersParts): UserStore {
  const { connections, outbox, events, now = () => new Date() } = parts;

  async function one(transaction: Transaction, text: string, values: readonly string[]): Promise<User | undefined> {
    const { rows } = await transaction.query(text, [...values]);
    return rows.length === 0 ? undefined : asUser(rows[0]);
  }

  async function save(transaction: Transaction, draft: UserDraft, onlyNew: boolean): Promise<Saved> {
    const { id, name, email } = draft;
    for (;;) {
      // Waits for transactions that create or delete the same id, and inserts nothing if the id exists after that.
      const created = await one(transaction, INSERT, [id, name, email, now().toISOString()]);
      if (created !== undefined) {
        await outbox.add(transaction, events.created(created));
        return { outcome: 'created', user: created };
      }
      if (onlyNew) return { outcome: 'taken' };
      const before = await one(transaction, `${SELECT_ONE} FOR UPDATE`, [id]);
      // Deleted between the two statements: the id is free again.
      if (before === undefined) continue;
      if (before.name === name && before.email === email) return { outcome: 'unchanged', user: before };
      const updated = await one(transaction, UPDATE, [id, name, email, now().toISOString()]);
      if (updated === undefined) throw new TypeError('a locked row is gone');
      await outbox.add(transaction, events.updated(updated));
      return { outcome: 'updated', user: updated };
    }
  }

  async function remove(transaction: Transaction, id: string): Promise<User | undefined> {
    const removed = await one(transaction, DELETE, [id]);
    if (removed !== undefined) await outbox.add(transaction, events.deleted(removed));
    return removed;
  }

  return {
    list: async () => (await connections.query(SELECT_ALL)).map(asUser),
    async find(id) {
      const [row] = await connections.query(SELECT_ONE, [id]);
      return row === undefined ? undefined : asUser(row);
    },
    save: (draft, { onlyNew = false } = {}) => connections.transaction((tx) => save(tx, draft, onlyNew)),
    remove: (id) => connections.transaction((tx) => remove(tx, id)),
  };
}
