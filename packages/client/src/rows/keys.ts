/** The key of a row: a string, or a number from -(2^53 - 1) to 2^53 - 1. */
export type Key = string | number;

export function isKey(value: unknown): value is Key {
  // Larger numbers are rounded, so two rows with different keys could arrive with the same one.
  return typeof value === 'string' || (typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER);
}

/** Checks a key. @throws TypeError if the value cannot be a key */
export function assertKey(value: unknown): Key {
  if (isKey(value)) return value;
  throw new TypeError(`the key of a row must be a string, or a number below 2^53, not ${describe(value)}`);
}

/**
 * Returns the form in which `rows` holds a key, or the key itself if `rows` does not hold it. `1` and `'1'` are the
 * same key: databases and JSON encoders write one identifier as a number in one place and as a string in another
 * (BIGINT through `pg`, for example). `'01'` is a different key.
 */
export function heldKey(rows: ReadonlyMap<Key, unknown>, key: Key): Key {
  if (rows.has(key)) return key;
  const twin = typeof key === 'number' ? String(key) : Number(key);
  return String(twin) === String(key) && rows.has(twin) ? twin : key;
}

/** Formats a value for error messages, with at most 80 characters. */
export function describe(value: unknown): string {
  try {
    return String(typeof value === 'number' ? value : JSON.stringify(value)).slice(0, 80);
  } catch {
    return typeof value;
  }
}
