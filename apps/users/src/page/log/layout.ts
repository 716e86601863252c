/** A row that is higher than the others, by its index in the list. */
export interface TallRow {
  readonly index: number;
  readonly extra: number;
}

/**
 * The positions of rows in a list. All rows have the same height, except a few unfolded ones. Heights are in CSS
 * pixels.
 */
export class Layout {
  readonly #rowHeight: number;
  readonly #tall: readonly TallRow[];

  /** @param tall the higher rows, ordered by index */
  constructor(rowHeight: number, tall: readonly TallRow[]) {
    this.#rowHeight = rowHeight;
    this.#tall = tall;
  }

  /** The upper edge of a row; for the number of rows, the height of the list. */
  topOf(index: number): number {
    let top = index * this.#rowHeight;
    for (const row of this.#tall) {
      if (row.index >= index) break;
      top += row.extra;
    }
    return top;
  }

  /** The row that covers a point; may lie beyond the last. */
  indexAt(y: number): number {
    let above = 0;
    for (const { index, extra } of this.#tall) {
      const top = index * this.#rowHeight + above;
      if (y < top) break;
      if (y < top + this.#rowHeight + extra) return index;
      above += extra;
    }
    return Math.max(0, Math.floor((y - above) / this.#rowHeight));
  }
}
