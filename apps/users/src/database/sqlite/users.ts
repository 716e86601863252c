import type { SqliteOutbox } from '@pregon/outbox';
import type { UserEvents } from '../../users/events.js';
import { asUser } from '../../users/row.js';
import type { User, UserDraft } from '../../users/schema.js';
import type { Saved, UserStore } from '../../users/store.js';
import type { Connection } from './file.js';

export interface SqliteUsersParts {
  readonly db: Connection;
  readonly outbox: Pick<SqliteOutbox, 'add'>;
  readonly events: UserEvents;
  /** @default the system's clock */
  readonly now?: () => Date;
}

const COLUMNS = 'id, name, email, created_at AS createdAt, updated_at AS updatedAt';

export function selectUsers(db: Connection): User[] {
  return db.prepare(`SELECT ${COLUMNS} FROM users ORDER BY id`).all().map(asUser);
}

export function countUsers(db: Connection): number {
  const row: unknown = db.prepare('SELECT count(*) AS count FROM users').get();
  return Number(typeof row === 'object' && row !== null ? Reflect.get(row, 'count') : undefined);
}

export function createSqliteUsers({ db, outbox, events, now = () => new Date() }: SqliteUsersParts): UserStore {
  const selectOne = db.prepare(`SELECT ${COLUMNS} FROM users WHERE id = ?`);
  const insert = db.prepare('INSERT INTO users (id, name, email, created_at, updated_at) VALUES (?, ?, ?, ?, ?)');
  const update = db.prepare('UPDATE users SET name = ?, email = ?, updated_at = ? WHERE id = ?');
  const deleteOne = db.prepare('DELETE FROM users WHERE id = ?');

  const find = (id: string): User | undefined => {
    const row = selectOne.get(id);
    return row === undefined ? undefined : asUser(row);
  };

  const save = db.transaction((draft: UserDraft, onlyNew: boolean): Saved => {
    const before = find(draft.id);
    const time = now().toISOString();
    if (before === undefined) {
      const user: User = { ...draft, createdAt: time, updatedAt: time };
      insert.run(user.id, user.name, user.email, user.createdAt, user.updatedAt);
      outbox.add(db, events.created(user));
      return { outcome: 'created', user };
    }
    if (onlyNew) return { outcome: 'taken' };
    if (before.name === draft.name && before.email === draft.email) return { outcome: 'unchanged', user: before };
    const user: User = { ...before, ...draft, updatedAt: time };
    update.run(user.name, user.email, user.updatedAt, user.id);
    outbox.add(db, events.updated(user));
    return { outcome: 'updated', user };
  });

  const remove = db.transaction((id: string): User | undefined => {
    const user = find(id);
    if (user === undefined) return undefined;
    deleteOne.run(id);
    outbox.add(db, events.deleted(user));
    return user;
  });

  // IMMEDIATE takes the write lock before the first read. A transaction that reads first and then wants to write cannot
  // wait for another writer: SQLite fails it at once with SQLITE_BUSY.
  return {
    list: async () => selectUsers(db),
    find: async (id) => find(id),
    save: async (draft, { onlyNew = false } = {}) => save.immediate(draft, onlyNew),
    remove: async (id) => remove.immediate(id),
  };
}
