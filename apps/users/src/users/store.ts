import type { User, UserDraft } from './schema.js';

export type Saved =
  | { readonly outcome: 'created' | 'updated' | 'unchanged'; readonly user: User }
  | { readonly outcome: 'taken' };

/**
 * The users in the table. Guarantees, the same in every database:
 *
 * - **Write and event are one.** Each write and its event are one transaction: either both happen, or neither.
 * - **Order.** The events of a user are in the order of the changes to its row. If several clients save the same new id
 *   at once, in any process, one creates it, and the others find it.
 *
 * Each method rejects with DatabaseUnavailable if a retry may succeed later; a write may have happened all the same.
 */
export interface UserStore {
  /** All users, ordered by the bytes of the id. */
  list(): Promise<User[]>;
  find(id: string): Promise<User | undefined>;
  /**
   * Creates the user or replaces the existing one. A draft that changes nothing creates no event: an event reports a
   * change, and a client that repeats its `PUT` because the answer was lost must not cause a second event.
   *
   * @param options.onlyNew write nothing if the id exists @default false
   */
  save(draft: UserDraft, options?: { onlyNew?: boolean }): Promise<Saved>;
  /** @returns the removed user; undefined if there was none */
  remove(id: string): Promise<User | undefined>;
}
