import type { LogPoint } from '@pregon/protocol';
import { isSamePoint, type StreamEntry } from '../messages/stream-entry.js';
import type { Cursor } from './cursor.js';
import { Known, WARM_UP_ENTRIES } from './known.js';

/** How long the broker may be silent where there is something to send. */
const STALL_MS = 5_000;
/** How long it usually takes at most; then it is asked where the stream ends. */
const SILENCE_MS = 300;

export interface Fence {
  readonly id: string;
  readonly publish: (id: string) => Promise<void>;
}

type Open = (from: number | 'first' | 'last', prefetch?: number) => Promise<Cursor>;

/** Reads from some way before the end of a stream of which nothing is known, up to a fence. */
export async function begin(
  open: Open,
  fence: Fence,
  take: (known: Known, entry: StreamEntry) => void,
): Promise<{ cursor: Cursor; known: Known }> {
  await fence.publish(fence.id);
  const start = Math.max(1, (await startOfLastChunk(open)) - WARM_UP_ENTRIES);
  const cursor = await open(start);
  try {
    let known: Known | undefined;
    for (;;) {
      const entry = await nextOf(cursor);
      known ??= new Known(entry, start <= 1 || (entry.offset > start && entry.offset === (await firstOffset(open))));
      take(known, entry);
      if (entry.kind === 'fence' && entry.id === fence.id) return { cursor, known };
    }
  } catch (error) {
    await cursor.close();
    throw error;
  }
}

/**
 * Reads on after the last entry that was read.
 *
 * @returns undefined where that entry is not there: it was dropped, or the stream is another one
 */
export async function resume(open: Open, last: LogPoint, fence: Fence): Promise<Cursor | undefined> {
  // Asked for what lies beyond its end, a stream would say nothing, ever.
  const cursor = await open(Math.min(last.offset, await startOfLastChunk(open)));
  let found = false;
  try {
    found = await finds(cursor, last, fence);
  } finally {
    if (!found) await cursor.close();
  }
  return found ? cursor : undefined;
}

async function finds(cursor: Cursor, last: LogPoint, fence: Fence): Promise<boolean> {
  let fenced = false;
  for (;;) {
    const entry = fenced ? await nextOf(cursor) : await cursor.next(SILENCE_MS);
    if (!entry) {
      // It may end before the entry. A fence is either after it, or shows that it does.
      await fence.publish(fence.id);
      fenced = true;
    } else if (entry.offset >= last.offset) {
      return isSamePoint(entry, last);
    } else if (entry.kind === 'fence' && entry.id === fence.id) {
      return false;
    }
  }
}

async function startOfLastChunk(open: Open): Promise<number> {
  return (await look(open, 'last')) ?? 1;
}

/** That something was skipped does not tell where a stream begins: at each roll of a segment it skips a number. */
function firstOffset(open: Open): Promise<number | undefined> {
  return look(open, 'first');
}

async function look(open: Open, from: 'first' | 'last'): Promise<number | undefined> {
  const cursor = await open(from, 1);
  try {
    return (await cursor.next(SILENCE_MS))?.offset;
  } finally {
    await cursor.close();
  }
}

async function nextOf(cursor: Cursor): Promise<StreamEntry> {
  const entry = await cursor.next(STALL_MS);
  if (!entry) throw new Error(`the stream has said nothing for ${STALL_MS} ms`);
  return entry;
}
