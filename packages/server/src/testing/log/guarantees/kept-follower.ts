import type { Kept, KeptChanges, KeptState, KeptValue } from '../../../core/ports/kept.js';
import { expect } from '../../assertions/expect.js';

/**
 * Follows a set and applies the reported changes to a copy. Records each state that differs from the copy as a
 * contradiction.
 */
export async function followKept(kept: Kept) {
  const states: Record<string, string>[] = [];
  const changesOf: (KeptChanges | undefined)[] = [];
  const contradictions: unknown[] = [];
  let derived = new Map<string, KeptValue>();
  const stop = await kept.follow((state, changes) => {
    states.push(valuesOf(state));
    changesOf.push(changes);
    derived = changes ? changedBy(derived, changes) : new Map(state);
    if (!isSame(derived, state)) contradictions.push({ state: valuesOf(state), derived: valuesOf(derived) });
  });
  const until = (state: Record<string, string>) => expect.poll(() => states.at(-1)).toEqual(state);
  return { states, changes: changesOf, contradictions, stop, until };
}

export function valuesOf(state: KeptState): Record<string, string> {
  return Object.fromEntries([...state].map(([key, { value }]) => [key, value]));
}

function changedBy(state: KeptState, changes: KeptChanges): Map<string, KeptValue> {
  const after = new Map(state);
  for (const [key, value] of changes) {
    if (value) after.set(key, value);
    else after.delete(key);
  }
  return after;
}

function isSame(one: KeptState, other: KeptState): boolean {
  if (one.size !== other.size) return false;
  return [...one].every(([key, { value, expiresAt }]) => {
    const there = other.get(key);
    return there?.value === value && there.expiresAt === expiresAt;
  });
}
