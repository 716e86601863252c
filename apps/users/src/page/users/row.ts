import { find, setText, stamp } from '../dom.js';
import { showTime } from '../times.js';
import type { Glow } from './glow.js';
import type { User } from './user.js';

/** The duration of the animation in the style sheet, in milliseconds. */
const LEAVE_MS = 160;

/** The cells that hold text, by the member that they show. */
const TEXT_CELLS = [
  ['id', 'id'],
  ['name', 'name'],
  ['email', 'mail'],
] as const;

/** The row of one user. */
export class UserRow {
  readonly element = stamp('user-row', HTMLTableRowElement);
  readonly #glow: Glow;
  #user: User;

  /** @param isNew whether the row is highlighted as added */
  constructor(user: User, glow: Glow, { isNew }: { isNew: boolean }) {
    this.#glow = glow;
    this.#user = user;
    this.element.dataset['id'] = user.id;
    this.#write(user);
    if (isNew) glow.mark(this.element, 'added');
  }

  get user(): User {
    return this.#user;
  }

  update(user: User): void {
    const before = this.#user;
    this.#user = user;
    this.#write(user);
    for (const [name, cell] of TEXT_CELLS) {
      if (before[name] !== user[name]) this.#glow.mark(this.#cell(cell), 'changed');
    }
  }

  /** Fades the row out and removes it. In the meantime it accepts no clicks or keys. */
  leave(): void {
    this.element.classList.add('removed');
    this.element.inert = true;
    delete this.element.dataset['id'];
    setTimeout(() => this.element.remove(), LEAVE_MS);
  }

  #write(user: User): void {
    for (const [name, cell] of TEXT_CELLS) {
      setText(this.#cell(cell), user[name]);
      this.#cell(cell).title = user[name];
    }
    showTime(find(this.element, 'time', HTMLTimeElement), user.updatedAt, 'seconds');
    for (const [action, word] of [
      ['edit', 'Edit'],
      ['delete', 'Delete'],
    ] as const) {
      const button = find(this.element, `[data-action=${action}]`, HTMLButtonElement);
      button.ariaLabel = `${word} ${user.name}`;
      button.title = word;
    }
  }

  #cell(name: string): HTMLElement {
    return find(this.element, `td.${name}`, HTMLElement);
  }
}
