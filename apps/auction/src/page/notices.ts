import { find, stamp } from './dom.js';

/** How long a notice stays that asks for nothing. */
const SHOWN_MS = 10_000;

export interface NoticeOptions {
  readonly action?: { readonly label: string; readonly run: () => void };
  /** Stay until it is dismissed. @default false */
  readonly stays?: boolean;
}

/** Short messages at the bottom of the page. They wait while somebody points at them or has the focus in them. */
export class Notices {
  readonly #list: HTMLElement;

  constructor(list: HTMLElement) {
    this.#list = list;
  }

  show(text: string, { action, stays = false }: NoticeOptions = {}): void {
    const notice = stamp('notice', HTMLElement);
    const remove = () => notice.remove();
    find(notice, '.text', HTMLElement).textContent = text;
    find(notice, '.dismiss', HTMLButtonElement).addEventListener('click', remove);
    if (action) {
      const button = find(notice, '.action', HTMLButtonElement);
      button.textContent = action.label;
      button.hidden = false;
      button.addEventListener('click', () => {
        remove();
        action.run();
      });
    }
    this.#list.append(notice);
    if (!stays) removeWhenIdle(notice);
  }
}

function removeWhenIdle(notice: HTMLElement): void {
  let timer = setTimeout(() => notice.remove(), SHOWN_MS);
  const hold = () => clearTimeout(timer);
  const release = () => {
    hold();
    timer = setTimeout(() => notice.remove(), SHOWN_MS);
  };
  notice.addEventListener('pointerenter', hold);
  notice.addEventListener('pointerleave', release);
  notice.addEventListener('focusin', hold);
  notice.addEventListener('focusout', release);
}
