import { describe } from './keys.js';

/**
 * What an event changes in a collection. `put` sets a row. `remove` deletes a row, given its key or a value that has
 * the key. Both accept one value or a list; a row that is itself an array must be in a list. Removals are applied
 * first, so that `{ remove: before, put: after }` can rename a row. Any other member is an error, and so is a member
 * that is undefined.
 *
 * @example { put: { id: 7, name: 'Ada' } }
 * @example { put: [first, second], remove: 9 }
 */
export type RowChange =
  | { readonly put: unknown; readonly remove?: unknown }
  | { readonly remove: unknown; readonly put?: unknown };

export interface RowStep {
  readonly isPut: boolean;
  readonly value: unknown;
}

/**
 * Splits the result of `change` into single puts and removals, in order.
 *
 * @throws TypeError if it is not a change: ignoring a part of it would leave the collection `live` but wrong
 */
export function stepsOf(result: unknown): readonly RowStep[] {
  const steps: RowStep[] = [];
  for (const change of Array.isArray(result) ? result : [result]) {
    const members: [string, unknown][] = Object.entries(Object(change));
    if (members.length === 0 || !members.every(isKnown)) {
      throw new TypeError(
        `change must return { put }, { remove }, both, a list of these, or undefined, not ${describe(change)}`,
      );
    }
    // Removals are first: the names are sorted in descending order.
    for (const [name, value] of members.sort(([a], [b]) => (a < b ? 1 : -1))) {
      for (const one of Array.isArray(value) ? value : [value]) steps.push({ isPut: name === 'put', value: one });
    }
  }
  return steps;
}

function isKnown([name, value]: readonly [string, unknown]): boolean {
  return (name === 'put' || name === 'remove') && value !== undefined;
}

/** Refuses a promise and handles its rejection. @throws TypeError if the value is a promise */
export function assertNoPromise(name: string, value: unknown): void {
  if (!(value instanceof Promise)) return;
  value.catch(() => {});
  throw new TypeError(`${name} must not be async`);
}
