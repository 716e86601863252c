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
  readonly #rows = new Map<string, UserRow>();
  /** The ids in the order of the rows. */
  readonly #order: string[] = [];

  constructor(body: HTMLTableSectionElement, actions: BoardActions) {
    this.#body = body;
    this.#actions = actions;
    body.addEventListener('click', (event) => this.#click(event));
  }

  get size(): number {
    return this.#rows.size;
  }

  /** A number that no user has, above all that are numbers. */
  get nextId(): string {
    const numbers = this.#order.filter((id) => /^\d{1,15}$/.test(id)).map(Number);
    return String(Math.max(0, ...numbers) + 1);
  }

  /**
   * Shows a user as it is now: adds its row, or writes into it what changed.
   *
   * @param options.mark make the change seen; not for what the page shows first
   */
  put(user: User, { mark }: { mark: boolean }): void {
    const existing = this.#rows.get(user.id);
    if (existing) {
      existing.update(user, { mark });
      return;
    }
    const row = new UserRow(user, { mark });
    const place = this.#placeOf(user.id);
    const next = this.#rows.get(this.#order[place] ?? '');
    this.#body.insertBefore(row.element, next?.element ?? null);
    this.#order.splice(place, 0, user.id);
    this.#rows.set(user.id, row);
  }

  remove(id: string): void {
    const row = this.#rows.get(id);
    if (!row) return;
    this.#rows.delete(id);
    this.#order.splice(this.#placeOf(id), 1);
    row.leave();
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
    const id = button?.closest('tr')?.dataset['id'];
    const user = this.#rows.get(id ?? '')?.user;
    if (!user || !(button instanceof HTMLButtonElement)) return;
    if (button.dataset['action'] === 'edit') this.#actions.edit(user);
    else this.#actions.remove(user);
  }
}
