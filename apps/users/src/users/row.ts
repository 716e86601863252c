import type { User } from './schema.js';

/**
 * Reads a row whose columns have the names of a user's members, all with text. Rows of a driver are untyped, and some
 * have members of the driver's own.
 *
 * @throws TypeError if a column is missing or not text
 */
export function asUser(row: unknown): User {
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
  if (typeof value !== 'string') throw new TypeError(`the column users.${column} is missing or not text`);
  return value;
}
