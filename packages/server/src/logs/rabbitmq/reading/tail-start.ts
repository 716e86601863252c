import type { LogPoint } from '@pregon/protocol';
import { isSamePoint, type StreamEntry } from '../messages/stream-entry.js';
import type { Cursor } from './cursor.js';
import { Known, WARM_UP_ENTRIES } from './known.js';

/** The maximum silence of the broker while it has something to send. */
const STALL_MS = 5_000;
/** The usual maximum; after it, a fence shows where the stream ends. */
const SILENCE_MS = 300;

export interface Fence {
  readonly id: string;
  readonly publish: (id: string) => Promise<void>;
}

type Open = (from: number | 'first' | 'last', prefetch?: number) => Promise<Cursor>;

/** Starts to read a stream about which nothing is known: from some entries before its end, up to a fence. */
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
 * Continues to read after the last entry that was read.
 *
 * @returns undefined if the stream does not hold that entry: it was dropped, or this is another stream
 */
export async function resume(open: Open, last: LogPoint, fence: Fence): Promise<Cursor | undefined> {
  // If the requested offset is beyond its end, a stream never delivers an entry.
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
      // The stream may end before the entry. The fence is after the entry, or it shows that the stream ends before it.
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

/** A gap in the offsets does not show where a stream begins: the broker skips a number at each segment roll. */
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
  if (!entry) throw new Error(`RabbitMQ sent nothing from the stream for ${STALL_MS} ms`);
  return entry;
}
