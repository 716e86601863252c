/**
 * Replaces a field that an object has; a name that it does not have stays absent.
 *
 * @returns whether the object has it
 */
export function replaceField(owner: unknown, name: string, value: unknown): boolean {
  if (typeof owner !== 'object' || owner === null || !(name in owner)) return false;
  return Reflect.set(owner, name, value);
}

/** The value of a field; undefined if there is no such object or field. */
export function fieldOf(owner: unknown, name: string): unknown {
  return Reflect.get(Object(owner), name);
}

/**
 * Gives back the unused places of an array that lives as long as its owner: V8 reserves sixteen more for one that was pushed to.
 *
 * @returns whether the field is an array
 */
export function fitArray(owner: unknown, name: string): boolean {
  const list = fieldOf(owner, name);
  return Array.isArray(list) && replaceField(owner, name, list.slice());
}
