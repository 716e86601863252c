/** The part of the list that the focus needs. Index 0 is the row at the top. */
export interface Rows {
  indexOf(serial: number): number | undefined;
  count(): number;
  /** By how many rows Page Up and Page Down move. */
  pageRows(): number;
  /** Scrolls to a row, which brings it into the DOM. @returns its element, if there is one */
  show(index: number): HTMLElement | undefined;
}

/**
 * Keyboard navigation of the log: the list is one tab stop; arrow keys move in it, also to rows that are not in the
 * DOM.
 */
export class RowFocus {
  readonly #list: HTMLElement;
  readonly #rows: Rows;
  /** The serial of the row that Tab leads to; undefined for the first. */
  #active: number | undefined;

  constructor(list: HTMLElement, rows: Rows) {
    this.#list = list;
    this.#rows = rows;
    list.addEventListener('focusin', ({ target }) => {
      this.#active = serialOf(target);
      this.drawn();
    });
    list.addEventListener('keydown', (event) => this.#keyDown(event));
  }

  /** Must be called when rows were added to the DOM, so that exactly one of them is a tab stop. */
  drawn(): void {
    const buttons = [...this.#list.querySelectorAll<HTMLElement>('.event')];
    const active = buttons.find((button) => serialOf(button) === this.#active) ?? buttons[0];
    for (const button of buttons) button.tabIndex = button === active ? 0 : -1;
  }

  #keyDown(event: KeyboardEvent): void {
    const serial = serialOf(event.target);
    if (serial === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = this.#stepOf(event.key);
    const index = this.#rows.indexOf(serial);
    if (step === undefined || index === undefined) return;
    event.preventDefault();
    this.#moveTo(index + step, Math.sign(step) || 1);
  }

  #stepOf(key: string): number | undefined {
    switch (key) {
      case 'ArrowDown':
        return 1;
      case 'ArrowUp':
        return -1;
      case 'PageDown':
        return this.#rows.pageRows();
      case 'PageUp':
        return -this.#rows.pageRows();
      case 'Home':
        return Number.NEGATIVE_INFINITY;
      case 'End':
        return Number.POSITIVE_INFINITY;
      default:
        return undefined;
    }
  }

  /** Notes between the events cannot have the focus, and are skipped. */
  #moveTo(index: number, direction: number): void {
    const last = this.#rows.count() - 1;
    for (let i = Math.max(0, Math.min(index, last)); i >= 0 && i <= last; i += direction) {
      const button = this.#rows.show(i)?.querySelector<HTMLElement>('.event');
      if (button) {
        button.focus({ preventScroll: true });
        return;
      }
    }
  }
}

function serialOf(target: EventTarget | null): number | undefined {
  const row = target instanceof Element ? target.closest<HTMLElement>('li[data-serial]') : null;
  return row === null ? undefined : Number(row.dataset['serial']);
}
