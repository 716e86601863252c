/** An integer in a row, however the driver brings it: as a number, a bigint, or the digits of one. */
export function integerIn(row: unknown, column: string): number {
  const value = valueIn(row, column);
  const integer =
    typeof value === 'bigint' || (typeof value === 'string' && /^-?\d+$/.test(value)) ? Number(value) : value;
  if (typeof integer !== 'number' || !Number.isSafeInteger(integer)) {
    throw new TypeError(`column ${column} holds no safe integer: ${String(value)}`);
  }
  return integer;
}

export function textIn(row: unknown, column: string): string {
  const value = valueIn(row, column);
  if (typeof value !== 'string') throw new TypeError(`column ${column} holds no text: ${String(value)}`);
  return value;
}

export function valueIn(row: unknown, column: string): unknown {
  return typeof row === 'object' && row !== null ? Reflect.get(row, column) : undefined;
}
