import { PregonError } from '@pregon/protocol';
import { integerIn, valueIn } from './column.js';
import { decodeEvent } from './event.js';
import type { OutboxBatch, RefusedRow } from './relay-source.js';

/**
 * Makes a batch from rows with the columns `sequence` and `event`, in their order. Rows that hold no event are listed
 * as `unreadable`.
 *
 * @param after the sequence after which the rows were read
 */
export function toBatch(rows: readonly unknown[], after: number): OutboxBatch {
  let through = after;
  const events = [];
  const unreadable: RefusedRow[] = [];
  for (const row of rows) {
    through = integerIn(row, 'sequence');
    try {
      events.push(decodeEvent(through, valueIn(row, 'event')));
    } catch (error) {
      if (!(error instanceof PregonError)) throw error;
      unreadable.push({ sequence: through, id: idIn(row), code: error.code, reason: error.message });
    }
  }
  return unreadable.length === 0 ? { events, through } : { events, unreadable, through };
}

/** Returns the `id` of a row that holds no event, if it has one, so that operators can find the row. */
function idIn(row: unknown): string | undefined {
  try {
    const { id } = Object(JSON.parse(String(valueIn(row, 'event'))));
    return typeof id === 'string' ? id.slice(0, 1_024) : undefined;
  } catch {
    return undefined;
  }
}
