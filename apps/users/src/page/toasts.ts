import { find, stamp } from './dom.js';

/** How long a toast stays, in milliseconds. */
const SHOWN_MS = 8_000;

export interface ToastOptions {
  readonly action?: { readonly label: string; readonly run: () => void };
}

/** Short messages at the bottom of the page. They stay while the pointer or the focus is in them. */
export class Toasts {
  readonly #list: HTMLElement;

  constructor(list: HTMLElement) {
    this.#list = list;
  }

  /** @param text a sentence */
  show(text: string, { action }: ToastOptions = {}): void {
    const toast = stamp('toast', HTMLElement);
    const remove = () => toast.remove();
    find(toast, '.text', HTMLElement).textContent = text;
    find(toast, '.dismiss', HTMLButtonElement).addEventListener('click', remove);
    if (action) {
      const button = find(toast, '.action', HTMLButtonElement);
      button.textContent = action.label;
      button.hidden = false;
      button.addEventListener('click', () => {
        remove();
        action.run();
      });
    }
    this.#list.append(toast);
    removeWhenIdle(toast);
  }
}

function removeWhenIdle(toast: HTMLElement): void {
  let timer = setTimeout(() => toast.remove(), SHOWN_MS);
  const hold = () => clearTimeout(timer);
  const release = () => {
    hold();
    timer = setTimeout(() => toast.remove(), SHOWN_MS);
  };
  toast.addEventListener('pointerenter', hold);
  toast.addEventListener('pointerleave', release);
  toast.addEventListener('focusin', hold);
  toast.addEventListener('focusout', release);
}
