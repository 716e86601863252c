/** A user, as the table, the events and the snapshot carry it. */
export interface User {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** What can be typed in. */
export type UserDraft = Pick<User, 'id' | 'name' | 'email'>;

/** Numbers by value, the rest by letters; never 0 for two ids, so that each row has one place. */
export function compareIds(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : Number(a > b));
}

const collator = new Intl.Collator('en', { numeric: true });

/** @throws TypeError where the value is no user */
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
  throw new TypeError(`a user has no ${name}`);
}
