import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Layout } from '../src/page/log/layout.js';

describe('the layout of the event log', () => {
  it('maps every point of the list to the row that covers it, whichever rows are unfolded', () => {
    const extras = fc.uniqueArray(fc.record({ index: fc.nat(30), extra: fc.integer({ min: 1, max: 400 }) }), {
      selector: ({ index }) => index,
    });
    fc.assert(
      fc.property(fc.integer({ min: 8, max: 60 }), extras, fc.nat(5_000), (rowHeight, tall, y) => {
        const layout = new Layout(
          rowHeight,
          [...tall].sort((a, b) => a.index - b.index),
        );
        const index = layout.indexAt(y);
        expect(layout.topOf(index)).toBeLessThanOrEqual(y);
        expect(layout.topOf(index + 1)).toBeGreaterThan(y);
      }),
    );
  });

  it('places rows after each other without a gap, each with its own height', () => {
    const layout = new Layout(32, [
      { index: 1, extra: 100 },
      { index: 3, extra: 8 },
    ]);
    expect([0, 1, 2, 3, 4, 5].map((index) => layout.topOf(index))).toEqual([0, 32, 164, 196, 236, 268]);
    expect([0, 31, 32, 163, 164, 235, 236].map((y) => layout.indexAt(y))).toEqual([0, 0, 1, 1, 2, 3, 4]);
  });
});
