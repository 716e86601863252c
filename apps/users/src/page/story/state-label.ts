import { find, setText } from '../dom.js';
import { type Facts, isDown } from './facts.js';
import type { LampState } from './station.js';

const WORDS: Readonly<Record<Facts['state'], readonly [LampState, string]>> = {
  connecting: ['unknown', 'Connecting'],
  'catching-up': ['wait', 'Catching up'],
  online: ['live', 'Online'],
  waiting: ['wait', 'Reconnecting'],
  offline: ['bad', 'Offline'],
  refused: ['bad', 'Refused'],
};

/** The state of the connection in one word, at the top right. Screen readers read it out when it changes. */
export class StateLabel {
  readonly #root = find(document, '#state', HTMLElement);
  readonly #lamp = find(this.#root, '.lamp', HTMLElement);
  readonly #word = find(this.#root, '.label', HTMLElement);

  show(facts: Facts): void {
    // The word stays the same between attempts.
    const state = isDown(facts) ? 'waiting' : facts.state;
    const [lamp, word] = WORDS[state];
    this.#root.dataset['state'] = state;
    this.#lamp.dataset['state'] = lamp;
    setText(this.#word, word);
  }
}
