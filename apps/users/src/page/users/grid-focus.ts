export interface Grid {
  /** The current rows, from top to bottom. */
  rows(): HTMLElement[];
  /** Called for the Enter key. */
  activate(row: HTMLElement): void;
  /** Called for the Delete key. */
  remove(row: HTMLElement): void;
}

/** By how many rows Page Up and Page Down move. */
const PAGE_ROWS = 10;

/**
 * Keyboard navigation of the table: it is one tab stop. Arrow keys move between rows, and in a row between its buttons.
 *
 * @see https://www.w3.org/WAI/ARIA/apg/patterns/grid/
 */
export class GridFocus {
  readonly #body: HTMLElement;
  readonly #grid: Grid;
  /** The row that Tab leads to. */
  #active: HTMLElement | undefined;

  constructor(body: HTMLElement, grid: Grid) {
    this.#body = body;
    this.#grid = grid;
    body.addEventListener('focusin', ({ target }) => {
      const row = rowOf(target);
      if (row) this.#setActive(row);
    });
    body.addEventListener('keydown', (event) => this.#keyDown(event));
  }

  /** Must be called when rows were added or removed. */
  changed(): void {
    if (this.#active?.isConnected && this.#active.dataset['id'] !== undefined) return;
    const first = this.#body.querySelector<HTMLElement>('tr[data-id]');
    if (first) this.#setActive(first);
    else this.#active = undefined;
  }

  /**
   * Must be called before a row is removed. The focus moves to the next row, or to the previous one if there is no
   * next.
   */
  leaving(row: HTMLElement): void {
    const rows = this.#grid.rows();
    const index = rows.indexOf(row);
    const next = rows[index + 1] ?? rows[index - 1];
    const hadFocus = row.contains(document.activeElement);
    if (row === this.#active && next) this.#setActive(next);
    if (hadFocus) (next ?? document.querySelector<HTMLElement>('#add-user'))?.focus();
  }

  #setActive(row: HTMLElement): void {
    if (row === this.#active) return;
    if (this.#active) this.#active.tabIndex = -1;
    this.#active = row;
    row.tabIndex = 0;
  }

  #keyDown(event: KeyboardEvent): void {
    const row = rowOf(event.target);
    if (!row || event.ctrlKey || event.metaKey || event.altKey || !this.#handle(event.key, row, event.target)) return;
    event.preventDefault();
  }

  #handle(key: string, row: HTMLElement, target: EventTarget | null): boolean {
    const stops = [row, ...row.querySelectorAll<HTMLElement>('button')].filter((stop) => stop.offsetParent !== null);
    const stop = target instanceof HTMLElement ? stops.indexOf(target) : -1;
    switch (key) {
      case 'ArrowDown':
        return this.#move(row, stop, 1);
      case 'ArrowUp':
        return this.#move(row, stop, -1);
      case 'PageDown':
        return this.#move(row, stop, PAGE_ROWS);
      case 'PageUp':
        return this.#move(row, stop, -PAGE_ROWS);
      case 'Home':
        return this.#move(row, stop, Number.NEGATIVE_INFINITY);
      case 'End':
        return this.#move(row, stop, Number.POSITIVE_INFINITY);
      case 'ArrowRight':
        stops[Math.min(stop + 1, stops.length - 1)]?.focus();
        return true;
      case 'ArrowLeft':
        stops[Math.max(stop - 1, 0)]?.focus();
        return true;
      case 'Enter':
        // On a button, Enter presses the button.
        if (target === row) this.#grid.activate(row);
        return target === row;
      case 'Delete':
        this.#grid.remove(row);
        return true;
      default:
        return false;
    }
  }

  #move(row: HTMLElement, stop: number, by: number): boolean {
    const rows = this.#grid.rows();
    const to = rows[Math.max(0, Math.min(rows.indexOf(row) + by, rows.length - 1))];
    const target = stop <= 0 ? to : to?.querySelectorAll<HTMLElement>('button')[stop - 1];
    target?.focus();
    to?.scrollIntoView({ block: 'nearest' });
    return true;
  }
}

function rowOf(target: EventTarget | null): HTMLElement | null {
  return target instanceof Element ? target.closest<HTMLElement>('tr[data-id]') : null;
}
