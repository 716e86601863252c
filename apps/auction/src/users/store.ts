import type { Outbox } from '@pregon/outbox';
import type { Connection } from '../database.js';
import { userWasCreated, userWasDeleted, userWasUpdated } from './events.js';
import type { User, UserDraft } from './schema.js';

export type Saved =
  | { readonly outcome: 'created' | 'updated' | 'unchanged'; readonly user: User }
  | { readonly outcome: 'taken' };

/**
 * The users in the table. Every write and its event are one transaction: either both are there, or neither.
 */
export interface UserStore {
  /** All users, by id. */
  list(): User[];
  find(id: string): User | undefined;
  /**
   * Creates the user or replaces what is there. A draft that changes nothing is no event: an event tells what happened, and a
   * client that repeats its `PUT` because the answer was lost must not make it happen twice.
   *
   * @param options.onlyNew write nothing where the id is taken @default false
   */
  save(draft: UserDraft, options?: { onlyNew?: boolean }): Saved;
  /** @returns the user that was there */
  remove(id: string): User | undefined;
}

export interface UserStoreParts {
  readonly db: Connection;
  readonly outbox: Pick<Outbox, 'add'>;
  /** @default the system's clock */
  readonly now?: () => Date;
}

const COLUMNS = 'id, name, email, created_at AS createdAt, updated_at AS updatedAt';

export function createUserStore({ db, outbox, now = () => new Date() }: UserStoreParts): UserStore {
  const selectAll = db.prepare(`SELECT ${COLUMNS} FROM users ORDER BY id`);
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
      outbox.add(db, userWasCreated(user));
      return { outcome: 'created', user };
    }
    if (onlyNew) return { outcome: 'taken' };
    if (before.name === draft.name && before.email === draft.email) return { outcome: 'unchanged', user: before };
    const user: User = { ...before, ...draft, updatedAt: time };
    update.run(user.name, user.email, user.updatedAt, user.id);
    outbox.add(db, userWasUpdated(user));
    return { outcome: 'updated', user };
  });

  const remove = db.transaction((id: string): User | undefined => {
    const user = find(id);
    if (user === undefined) return undefined;
    deleteOne.run(id);
    outbox.add(db, userWasDeleted(user));
    return user;
  });

  // IMMEDIATE takes the write lock before the first read: a transaction that reads first and then wants to write cannot wait
  // for another writer, SQLite fails it at once with SQLITE_BUSY.
  return {
    list: () => selectAll.all().map(asUser),
    find,
    save: (draft, { onlyNew = false } = {}) => save.immediate(draft, onlyNew),
    remove: (id) => remove.immediate(id),
  };
}

/** The driver's rows are of no type, and carry members of its own. */
function asUser(row: unknown): User {
  return {
    id: text(row, 'id'),
    name: text(row, 'name'),
    email: text(row, 'email'),
    createdAt: text(row, 'createdAt'),
    updatedAt: text(row, 'updatedAt'),
  };
}

function text(row: unknown, column: string): string {
  const value: unknown = typeof row === 'object' && row !== null ? Reflect.get(row, column) : undefined;
  if (typeof value !== 'string') throw new TypeError(`users.${column} is no text`);
  return value;
}
