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

/** An event that is older than the connection by this much was not live. */
const REPLAYED_MS = 1_000;
/** A replay that brings nothing for so long is over. */
const REPLAY_QUIET_MS = 300;
/** A replay of fewer events than this is over before anybody could read that it is on. */
const REPLAY_WORTH_TELLING = 100;

/** Tells at any time how the page stands to its gateway. */
export class ConnectionIndicator {
  readonly #client: Client;
  readonly #root = find(document, '#state', HTMLElement);
  readonly #label = find(this.#root, '.label', HTMLElement);
  readonly #detail = find(this.#root, '.detail', HTMLElement);
  readonly #now = find(this.#root, 'button', HTMLButtonElement);
  #reason = '';
  #connectedAt = 0;
  #replayed = 0;
  #replayEnd: ReturnType<typeof setTimeout> | undefined;
  #countdown: ReturnType<typeof setInterval> | undefined;
  #hasBeenOnline = false;

  constructor(client: Client) {
    this.#client = client;
    this.#now.addEventListener('click', () => client.connectNow());
    client.on('state', ({ state, reason }) => {
      this.#reason = reason ?? '';
      if (state === 'catching-up') this.#connectedAt = Date.now();
      if (state === 'online') this.#hasBeenOnline = true;
      else this.#endReplay();
      clearInterval(this.#countdown);
      if (state === 'waiting') this.#countdown = setInterval(() => this.#show(), 250);
      this.#show();
    });
    this.#show();
  }

  /** To be told of each event, so that a long replay is seen as what it is. */
  received(time: string | undefined): void {
    if (!(Date.parse(time ?? '') < this.#connectedAt - REPLAYED_MS)) return;
    this.#replayed++;
    clearTimeout(this.#replayEnd);
    this.#replayEnd = setTimeout(() => {
      this.#endReplay();
      this.#show();
    }, REPLAY_QUIET_MS);
    if (this.#replayed % REPLAY_WORTH_TELLING === 0) this.#show();
  }

  #endReplay(): void {
    clearTimeout(this.#replayEnd);
    this.#replayed = 0;
  }

  #show(): void {
    const state = this.#shownState();
    // While it tries again and again, the word stays the same: only the seconds change.
    const retries = state === 'connecting' && this.#hasBeenOnline;
    this.#root.dataset['state'] = retries ? 'waiting' : state;
    setText(this.#label, LABELS[retries ? 'waiting' : state]);
    setText(this.#detail, this.#detailOf(state));
    this.#root.title = this.#reason;
    this.#now.hidden = state !== 'waiting' && state !== 'offline';
  }

  #shownState(): ConnectionState {
    const { state } = this.#client;
    return state === 'online' && this.#replayed >= REPLAY_WORTH_TELLING ? 'catching-up' : state;
  }

  #detailOf(state: ConnectionState): string {
    if (state === 'waiting') {
      const ms = (this.#client.retryAt ?? 0) - Date.now();
      return `in ${Math.max(1, Math.ceil(ms / 1_000))} s`;
    }
    if (state === 'catching-up' && this.#replayed > 0) return `${this.#replayed.toLocaleString()} events`;
    if (state === 'offline') return 'no network';
    return state === 'closed' ? this.#reason : '';
  }
}
