import { isDeepStrictEqual } from 'node:util';
import type { TableRow } from './truth.js';

/**
 * How many rows of a collection are missing, different or surplus compared with the table, with the first few of them.
 */
export function differingRows(
  table: readonly TableRow[],
  held: readonly TableRow[],
): { count: number; shown: string[] } {
  const left = new Map(held.map((row) => [row.id, row]));
  const differing: string[] = [];
  for (const row of table) {
    const found = left.get(row.id);
    left.delete(row.id);
    if (!isDeepStrictEqual({ ...found }, { ...row }))
      differing.push(`row ${row.id}: table ${show(row)}, held ${show(found)}`);
  }
  for (const row of left.values()) differing.push(`row ${row.id}: not in the table, held ${show(row)}`);
  return { count: differing.length, shown: differing.slice(0, 5) };
}

function show(row: TableRow | undefined): string {
  return row === undefined ? 'nothing' : JSON.stringify(row).slice(0, 120);
}
