import { Glow } from './glow.js';
import { GridFocus } from './grid-focus.js';
import { UserRow } from './row.js';
import { compareIds, type User } from './user.js';

export interface BoardActions {
  edit(user: User): void;
  remove(user: User): void;
}

/**
 * The table of users. The row of a user stays the same DOM node. A change updates only the cells that changed, and the
 * table is never rebuilt.
 */
export class UserBoard {
  readonly #body: HTMLTableSectionElement;
  readonly #actions: BoardActions;
  readonly #glow = new Glow();
  readonly #focus: GridFocus;
  readonly #rows = new Map<string, UserRow>();
  /** The ids in the order of the rows. */
  readonly #order: string[] = [];
  /** The user whose row gets the focus as soon as it exists. */
  #awaited: string | undefined;

  constructor(body: HTMLTableSectionElement, actions: BoardActions) {
    this.#body = body;
    this.#actions = actions;
    this.#focus = new GridFocus(body, {
      rows: () => this.#order.flatMap((id) => this.#rows.get(id)?.element ?? []),
      activate: (row) => this.#with(row, actions.edit),
      remove: (row) => this.#with(row, (user) => this.#remove(user)),
    });
    body.addEventListener('click', (event) => this.#click(event));
  }

  get size(): number {
    return this.#rows.size;
  }

  /** An unused id: one more than the largest numeric id. */
  get nextId(): string {
    const numbers = this.#order.filter((id) => /^\d{1,15}$/.test(id)).map(Number);
    return String(numbers.reduce((most, number) => Math.max(most, number), 0) + 1);
  }

  /**
   * Shows the current state of a user: adds its row, or updates the cells that changed.
   *
   * @param options.isNews whether a new row is highlighted; false for the first content of the page
   */
  put(user: User, { isNews }: { isNews: boolean }): void {
    const existing = this.#rows.get(user.id);
    if (existing) {
      existing.update(user);
      return;
    }
    const row = new UserRow(user, this.#glow, { isNew: isNews });
    const place = this.#placeOf(user.id);
    const next = this.#rows.get(this.#order[place] ?? '');
    this.#body.insertBefore(row.element, next?.element ?? null);
    this.#order.splice(place, 0, user.id);
    this.#rows.set(user.id, row);
    this.#focus.changed();
    if (this.#awaited !== user.id) return;
    this.#awaited = undefined;
    // Not if the reader has moved the focus in the meantime.
    if (document.activeElement === null || document.activeElement === document.body) row.element.focus();
  }

  remove(id: string): void {
    const row = this.#rows.get(id);
    if (!row) return;
    this.#focus.leaving(row.element);
    this.#rows.delete(id);
    this.#order.splice(this.#placeOf(id), 1);
    row.leave();
    this.#focus.changed();
  }

  /** Gives the focus to the row of a user, now or when the row is added. */
  focusOn(id: string): void {
    const row = this.#rows.get(id);
    if (row) row.element.focus();
    else this.#awaited = id;
  }

  /** Moves the focus off the row of a user that is being deleted, if it is there. */
  leave(id: string): void {
    const row = this.#rows.get(id);
    if (row) this.#focus.leaving(row.element);
  }

  #remove(user: User): void {
    this.leave(user.id);
    this.#actions.remove(user);
  }

  /** The index of the id, or the index where it would be inserted. */
  #placeOf(id: string): number {
    let low = 0;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareIds(this.#order[middle] ?? '', id) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #click(event: Event): void {
    const button = event.target instanceof Element ? event.target.closest('button[data-action]') : null;
    const row = button?.closest('tr');
    if (!row || !(button instanceof HTMLButtonElement)) return;
    if (button.dataset['action'] === 'edit') this.#with(row, this.#actions.edit);
    else this.#with(row, (user) => this.#remove(user));
  }

  #with(row: HTMLElement, act: (user: User) => void): void {
    const user = this.#rows.get(row.dataset['id'] ?? '')?.user;
    if (user) act(user);
  }
}
