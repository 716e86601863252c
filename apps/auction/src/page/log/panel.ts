import type { Client, ResetReason } from '@pregon/client';
import { find, setText } from '../dom.js';
import { parseFilter } from './filter.js';
import { EventHistory } from './history.js';
import { LogView } from './view.js';

/** The most entries that the page keeps. */
const MOST_ENTRIES = 10_000;

const RESET_NOTES: Readonly<Record<ResetReason, string>> = {
  truncated: 'What was here was too old to go on from. From here on: what is retained.',
  replaced: 'The log was replaced by another one. From here on: the new one.',
};

export interface LogPanelHooks {
  received(): void;
  reset(reason: ResetReason): void;
}

/** The right column: every event that is retained, and those to come, as in event sourcing. */
export class LogPanel {
  readonly #root = find(document, '#log', HTMLElement);
  readonly #history = new EventHistory(MOST_ENTRIES);
  readonly #view = new LogView(
    this.#history,
    find(this.#root, '.scroll', HTMLElement),
    find(this.#root, 'ol', HTMLOListElement),
  );
  readonly #pause = find(this.#root, '#pause', HTMLButtonElement);
  readonly #newer = find(this.#root, '.newer', HTMLButtonElement);
  readonly #filter = find(this.#root, '#filter', HTMLInputElement);
  readonly #hint = find(this.#root, '#filter-hint', HTMLElement);
  readonly #empty = find(this.#root, '.empty', HTMLElement);
  readonly #counts = document.querySelectorAll('[data-count=log]');
  readonly #client: Client;
  readonly #hooks: LogPanelHooks;

  constructor(client: Client, hooks: LogPanelHooks) {
    this.#client = client;
    this.#hooks = hooks;
    this.#view.drawn = () => this.#tell();
    this.#pause.addEventListener('click', () => this.#togglePause());
    this.#newer.addEventListener('click', () => {
      if (this.#history.paused) this.#togglePause();
      this.#view.toNewest();
    });
    this.#filter.addEventListener('input', () => this.#applyFilter());
    this.#subscribe();
    this.#view.update();
  }

  #subscribe(): void {
    const subscription = this.#client.subscribe({
      topics: ['#'],
      since: 'first',
      onEvent: (event) => {
        this.#history.append(event);
        this.#hooks.received();
        this.#view.update();
      },
      onReset: (reason) => {
        // Left alone it would go on at the live edge; the page shows what the log holds, so it asks for that.
        subscription.close();
        this.#history.restart(RESET_NOTES[reason]);
        this.#hooks.reset(reason);
        this.#subscribe();
        this.#view.update();
      },
    });
  }

  #togglePause(): void {
    if (this.#history.paused) this.#history.resume();
    else this.#history.pause();
    const { paused } = this.#history;
    this.#pause.setAttribute('aria-pressed', String(paused));
    find(this.#pause, 'use', SVGUseElement).setAttribute('href', paused ? '#icon-resume' : '#icon-pause');
    find(this.#pause, 'span', HTMLElement).textContent = paused ? 'Resume' : 'Pause';
    this.#view.update();
  }

  #applyFilter(): void {
    const filter = parseFilter(this.#filter.value);
    this.#hint.hidden = filter !== undefined;
    if (filter) this.#filter.removeAttribute('aria-invalid');
    else this.#filter.setAttribute('aria-invalid', 'true');
    if (!filter) return;
    this.#history.filterBy(filter);
    this.#view.update();
  }

  /** Says in numbers what the list cannot show. */
  #tell(): void {
    const { shown, size, paused, heldBack } = this.#history;
    const filtered = this.#filter.value.trim() !== '';
    const count = filtered ? `${shown.length.toLocaleString()} of ${size.toLocaleString()}` : size.toLocaleString();
    for (const element of this.#counts) setText(element, count);
    const newer = paused ? heldBack : this.#view.unseen;
    this.#newer.hidden = newer === 0;
    setText(this.#newer, `${newer.toLocaleString()} new`);
    this.#empty.hidden = shown.length > 0;
    setText(this.#empty, size > 0 ? 'No event matches the filter.' : 'No events yet.');
  }
}
