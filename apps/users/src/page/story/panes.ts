import { find, setText } from '../dom.js';
import { clockTime } from '../times.js';
import { figure } from '../words.js';
import type { Facts } from './facts.js';

/** Fades the panes while the page is not live, and shows how old their content is. */
export class PaneAges {
  readonly #users = find(document, '#users', HTMLElement);
  readonly #log = find(document, '#log', HTMLElement);

  /** @param isStale whether the page has been without a gateway for long enough to show it */
  show({ hasBeenLive, lostAt, waiting }: Facts, isStale: boolean): void {
    const asOf = !hasBeenLive ? 'waiting for the gateway' : lostAt === undefined ? '' : `as of ${clockTime(lostAt)}`;
    this.#mark(this.#users, isStale, hasBeenLive, asOf);
    this.#mark(this.#log, isStale, hasBeenLive, hasBeenLive && waiting ? `${figure(waiting)} to come` : asOf);
  }

  #mark(pane: HTMLElement, isStale: boolean, hasBeenLive: boolean, text: string): void {
    pane.toggleAttribute('data-stale', isStale && hasBeenLive);
    const chip = find(pane, '.asof', HTMLElement);
    chip.hidden = !isStale;
    chip.classList.toggle('wait', hasBeenLive);
    find(pane, '.about', HTMLElement).hidden = isStale;
    if (isStale) setText(find(chip, 'span', HTMLElement), text);
  }
}
