import { find, setText } from '../dom.js';
import { startCopying } from './copy.js';

export interface Dare {
  readonly title: string;
  /** Undefined while unknown: then there is nothing to copy. */
  readonly command: string | undefined;
  readonly hint: string;
}

/** The box that proposes the next command: kill the gateway, start it, kill it again. */
export class DareBox {
  readonly #root = find(document, '#dare', HTMLElement);
  readonly #title = find(this.#root, '.title', HTMLElement);
  readonly #text = find(this.#root, '.text', HTMLElement);
  readonly #hint = find(this.#root, '.hint', HTMLElement);
  readonly #copy = find(this.#root, '.copy', HTMLButtonElement);

  constructor() {
    startCopying(find(this.#root, '.command', HTMLElement));
  }

  show({ title, command, hint }: Dare): void {
    setText(this.#title, title);
    setText(this.#text, command ?? '–');
    this.#text.title = command ?? '';
    setText(this.#hint, hint);
    this.#copy.disabled = command === undefined;
  }
}
