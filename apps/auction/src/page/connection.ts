import type { Client, ConnectionState } from '@pregon/client';
import { find, setText } from './dom.js';

/** What a state is called, and what the lamp shows; the lamp differs in shape, not by its colour alone. */
const LABELS: Readonly<Record<ConnectionState, string>> = {
  connecting: 'Connecting',
  'catching-up': 'Catching up',
  online: 'Online',
  waiting: 'Reconnecting',
  offline: 'Offline',
  closed: 'Offline',
};

/** In which steps the number of events to go is shown. */
const SHOWN_STEP = 50;

/** Tells at any time how the page stands to its gateway. */
export class ConnectionIndicator {
  readonly #client: Client;
  readonly #root = find(document, '#state', HTMLElement);
  readonly #label = find(this.#root, '.label', HTMLElement);
  readonly #detail = find(this.#root, '.detail', HTMLElement);
  readonly #now = find(this.#root, 'button', HTMLButtonElement);
  #reason = '';
  #countdown: ReturnType<typeof setInterval> | undefined;
  #hasBeenOnline = false;

  constructor(client: Client) {
    this.#client = client;
    this.#now.addEventListener('click', () => client.connectNow());
    client.on('state', ({ state, reason }) => {
      this.#reason = reason ?? '';
      if (state === 'online') this.#hasBeenOnline = true;
      clearInterval(this.#countdown);
      if (state === 'waiting') this.#countdown = setInterval(() => this.#show(), 250);
      this.#show();
    });
    this.#show();
  }

  /** To be called for each event, so that what is still to come is seen to grow less. */
  received(): void {
    const { state, behind } = this.#client;
    if (state === 'catching-up' && behind % SHOWN_STEP === 0) this.#show();
  }

  #show(): void {
    const { state } = this.#client;
    // While it tries again and again, the word stays the same: only the seconds change.
    const retries = state === 'connecting' && this.#hasBeenOnline;
    this.#root.dataset['state'] = retries ? 'waiting' : state;
    setText(this.#label, LABELS[retries ? 'waiting' : state]);
    setText(this.#detail, this.#detailOf(state));
    this.#root.title = this.#reason;
    this.#now.hidden = state !== 'waiting' && state !== 'offline';
  }

  #detailOf(state: ConnectionState): string {
    if (state === 'waiting') {
      const ms = (this.#client.retryAt ?? 0) - Date.now();
      return `in ${Math.max(1, Math.ceil(ms / 1_000))} s`;
    }
    if (state === 'catching-up' && this.#client.behind > 0) return `${this.#client.behind.toLocaleString()} to go`;
    if (state === 'offline') return 'no network';
    return state === 'closed' ? this.#reason : '';
  }
}
