/**
 * Replaces the value of an existing field. Does not add a missing field.
 *
 * @returns whether the object has the field
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
 * Frees the unused capacity of an array that lives as long as its owner: V8 reserves sixteen more places after a push.
 *
 * @returns whether the field is an array
 */
export function fitArray(owner: unknown, name: string): boolean {
  const list = fieldOf(owner, name);
  return Array.isArray(list) && replaceField(owner, name, list.slice());
}
