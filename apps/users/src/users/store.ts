import type { User, UserDraft } from './schema.js';

export type Saved =
  | { readonly outcome: 'created' | 'updated' | 'unchanged'; readonly user: User }
  | { readonly outcome: 'taken' };

/**
 * The users in the table. Guarantees, the same in every database:
 *
 * - **Write and event are one.** Each write and its event are one transaction: either both are there, or neither.
 * - **Order.** The events of one user are in the order of the changes to its row. Of any number who save one new id at once, in
 *   whatever process, one creates it, and the others find it there.
 *
 * Each method rejects with DatabaseUnavailable where the same may succeed a little later; a write may then have happened.
 */
export interface UserStore {
  /** All users, by id, in the order of its bytes. */
  list(): Promise<User[]>;
  find(id: string): Promise<User | undefined>;
  /**
   * Creates the user or replaces what is there. A draft that changes nothing is no event: an event tells what happened, and a
   * client that repeats its `PUT` because the answer was lost must not make it happen twice.
   *
   * @param options.onlyNew write nothing where the id is taken @default false
   */
  save(draft: UserDraft, options?: { onlyNew?: boolean }): Promise<Saved>;
  /** @returns the user that was there */
  remove(id: string): Promise<User | undefined>;
}
