import { describe, expect, it } from 'vitest';
import { encodeRows } from '../../../src/core/snapshots/encode-rows.js';
import { eventLoopTurn, FakeClock } from '../support/fake-clock.js';

const ROWS = Array.from({ length: 4_000 }, (_, n) => ({ n, text: 'x'.repeat(1_000) }));

/** Encodes rows, and counts the turns of the event loop. @param each called for each encoded row */
async function encode(
  rows: readonly unknown[],
  options: { maxBytes?: number; each?: (clock: FakeClock) => void } = {},
) {
  const clock = new FakeClock();
  const { maxBytes = 1_000_000_000, each } = options;
  const watch = (row: unknown) => ({
    toJSON() {
      each?.(clock);
      return row;
    },
  });
  const watched = each ? rows.map(watch) : rows;
  const encoding = encodeRows(watched, {
    maxBytes,
    now: () => clock.now(),
    nextTurn: (callback) => clock.nextTurn(callback),
  });
  // The encoding may fail before the test awaits it.
  encoding.catch(() => {});
  let turns = 1;
  for (await eventLoopTurn(); clock.turns > 0; turns++) {
    clock.turn();
    await eventLoopTurn();
  }
  return { chunks: await encoding, turns };
}

describe('the rows of a snapshot', () => {
  it('[fault A11] are encoded in slices of 256 KiB, a turn of the event loop for each', async () => {
    const { chunks, turns } = await encode(ROWS);
    expect(turns).toBeGreaterThanOrEqual(15);
    expect(chunks.flatMap((chunk): unknown => JSON.parse(chunk))).toEqual(ROWS);
    for (const { length } of chunks) expect(length).toBeLessThan(70_000);
  });

  it('[fault A11] are encoded for no longer than some milliseconds of one turn', async () => {
    const { turns } = await encode(ROWS.slice(0, 160), { each: (clock) => clock.advance(0.5) });
    // Eighty milliseconds, three at a time; the time is checked after each sixteenth row.
    expect(turns).toBeGreaterThanOrEqual(9);
  });

  it('are encoded at once if they are few', async () => {
    expect(await encode([{ a: 1 }, undefined, 'b'])).toEqual({ chunks: ['[{"a":1},null,"b"]'], turns: 1 });
    expect(await encode([])).toEqual({ chunks: ['[]'], turns: 1 });
  });

  it('are the original ones, even if the array changes meanwhile', async () => {
    const rows = [...ROWS];
    const { chunks } = await encode(rows, { each: () => rows.splice(2_000) });
    expect(chunks.flatMap((chunk): unknown => JSON.parse(chunk))).toEqual(ROWS);
  });

  it('[fault A11] are refused as soon as they are too many', async () => {
    let encoded = 0;
    const encoding = encode(ROWS, { maxBytes: 100_000, each: () => (encoded += 1) });
    await expect(encoding).rejects.toMatchObject({ code: 'SNAPSHOT_UNAVAILABLE' });
    expect(encoded).toBeLessThan(110);
  });
});
