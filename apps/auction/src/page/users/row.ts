import { find, setText, stamp } from '../dom.js';
import { showTime } from '../times.js';
import type { User } from './user.js';

/** As long as the style sheet lets a change be seen. */
const MARK_MS = 1_600;
const LEAVE_MS = 400;

const TEXT_CELLS = ['id', 'name', 'email'] as const;

/** The row of one user. */
export class UserRow {
  readonly element = stamp('user-row', HTMLTableRowElement);
  readonly #marks = new Map<HTMLElement, ReturnType<typeof setTimeout>>();
  #user: User;

  constructor(user: User, { mark }: { mark: boolean }) {
    this.#user = user;
    this.element.dataset['id'] = user.id;
    this.#write(user);
    if (mark) this.#mark(this.element, 'added');
  }

  get user(): User {
    return this.#user;
  }

  update(user: User, { mark }: { mark: boolean }): void {
    const before = this.#user;
    this.#user = user;
    this.#write(user);
    if (!mark) return;
    for (const name of [...TEXT_CELLS, 'updatedAt'] as const) {
      if (before[name] !== user[name]) this.#mark(this.#cell(name), 'changed');
    }
  }

  /** Fades out and goes. What is typed or clicked in it meanwhile reaches nobody. */
  leave(): void {
    this.element.dataset['mark'] = 'removed';
    this.element.inert = true;
    delete this.element.dataset['id'];
    setTimeout(() => this.element.remove(), LEAVE_MS);
  }

  #write(user: User): void {
    for (const name of TEXT_CELLS) setText(this.#cell(name), user[name]);
    for (const name of TEXT_CELLS) this.#cell(name).title = user[name];
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

  /** Says what happened until the mark has been seen; a second change meanwhile starts the glow anew. */
  #mark(element: HTMLElement, what: 'added' | 'changed'): void {
    const running = this.#marks.get(element);
    clearTimeout(running);
    // Two names for the same animation: another name is what starts it again.
    element.dataset['mark'] = element.dataset['mark'] === what ? `${what}-again` : what;
    const clear = () => {
      delete element.dataset['mark'];
      this.#marks.delete(element);
    };
    this.#marks.set(element, setTimeout(clear, MARK_MS));
  }

  #cell(name: string): HTMLElement {
    return find(this.element, `td.${name}`, HTMLElement);
  }
}
