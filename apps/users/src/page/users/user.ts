/** A user, as in the table, the events and the snapshot. */
export interface User {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** The members that a reader can enter. */
export type UserDraft = Pick<User, 'id' | 'name' | 'email'>;

/** Compares numbers by value and other ids alphabetically. Never 0 for different ids, so that the order is total. */
export function compareIds(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : Number(a > b));
}

const collator = new Intl.Collator('en', { numeric: true });

/** @throws TypeError if the value is not a user */
export function parseUser(value: unknown): User {
  return {
    id: text(value, 'id'),
    name: text(value, 'name'),
    email: text(value, 'email'),
    createdAt: text(value, 'createdAt'),
    updatedAt: text(value, 'updatedAt'),
  };
}

function text(value: unknown, name: keyof User): string {
  const member: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  if (typeof member === 'string') return member;
  throw new TypeError(`a user lacks the text "${name}"`);
}
