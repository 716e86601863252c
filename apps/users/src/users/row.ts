import type { User } from './schema.js';

/**
 * Reads a row whose columns are named as the members of a user, and are all text. Rows of a driver are of no type, and some carry
 * members of the driver's own.
 *
 * @throws TypeError where a column is missing or no text
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
  if (typeof value !== 'string') throw new TypeError(`users.${column} is no text`);
  return value;
}
