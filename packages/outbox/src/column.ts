/** Reads an integer from a row; drivers return a number, a bigint, or its digits. */
export function integerIn(row: unknown, column: string): number {
  const value = valueIn(row, column);
  const integer =
    typeof value === 'bigint' || (typeof value === 'string' && /^-?\d+$/.test(value)) ? Number(value) : value;
  if (typeof integer !== 'number' || !Number.isSafeInteger(integer)) {
    throw new TypeError(`column ${column} must hold a safe integer, not ${String(value)}`);
  }
  return integer;
}

export function textIn(row: unknown, column: string): string {
  const value = valueIn(row, column);
  if (typeof value !== 'string') throw new TypeError(`column ${column} must hold a text, not ${String(value)}`);
  return value;
}

export function valueIn(row: unknown, column: string): unknown {
  return typeof row === 'object' && row !== null ? Reflect.get(row, column) : undefined;
}
