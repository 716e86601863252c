import { Glow } from './glow.js';
import { GridFocus } from './grid-focus.js';
import { UserRow } from './row.js';
import { compareIds, type User } from './user.js';

export interface BoardActions {
  edit(user: User): void;
  remove(user: User): void;
}

/**
 * The table of users. A user's row is one DOM node from the first event to the last: a change touches the cells that changed and
 * nothing else, and the table is never built again.
 */
export class UserBoard {
  readonly #body: HTMLTableSectionElement;
  readonly #actions: BoardActions;
  readonly #glow = new Glow();
  readonly #focus: GridFocus;
  readonly #rows = new Map<string, UserRow>();
  /** The ids in the order of the rows. */
  readonly #order: string[] = [];
  /** The user whose row takes the focus as soon as it is there. */
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

  /** A number that no user has, above all that are numbers. */
  get nextId(): string {
    const numbers = this.#order.filter((id) => /^\d{1,15}$/.test(id)).map(Number);
    return String(numbers.reduce((most, number) => Math.max(most, number), 0) + 1);
  }

  /**
   * Shows a user as it is now: adds its row, or writes into it what changed.
   *
   * @param options.isNews make the change seen; not for what the page shows first
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
    // Unless the reader has gone elsewhere meanwhile.
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

  /** Gives the focus to the row of a user: at once, or when it comes. */
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

  /** Where the id stands, or would stand. */
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
