import type { PregonEvent, ResetReason, Subscription } from '@pregon/client';
import { find, setText } from '../dom.js';
import type { GatewayLink } from '../link.js';
import { resetText } from '../story/news.js';
import { counted, figure } from '../words.js';
import { filterOf, parsePatterns } from './filter.js';
import { EventHistory } from './history.js';
import { LogView } from './view.js';

/** The most entries that the page keeps. */
const MOST_ENTRIES = 10_000;

export interface LogPanelHooks {
  /** @param isLive the event is new; false for events of the past */
  received(event: PregonEvent, isLive: boolean): void;
  reset(reason: ResetReason): void;
}

/** The right column: all retained events, then new ones as they arrive, as in event sourcing. */
export class LogPanel {
  readonly #root = find(document, '#log', HTMLElement);
  readonly #history = new EventHistory(MOST_ENTRIES);
  readonly #view = new LogView(
    this.#history,
    find(this.#root, '.scroll', HTMLElement),
    find(this.#root, '.entries', HTMLOListElement),
  );
  readonly #pause = find(this.#root, '#pause', HTMLButtonElement);
  readonly #newer = find(this.#root, '.newer', HTMLButtonElement);
  readonly #filter = find(this.#root, '#filter', HTMLInputElement);
  readonly #hint = find(this.#root, '#filter-hint', HTMLElement);
  readonly #bones = find(this.#root, '.bones', HTMLElement);
  readonly #empty = find(this.#root, '.empty', HTMLElement);
  readonly #counts = document.querySelectorAll('[data-count=log]');
  readonly #link: GatewayLink;
  readonly #hooks: LogPanelHooks;
  #subscription: Subscription;
  /** Whether the gateway has answered, so that an empty list means that there are no events. */
  #isKnown = false;

  constructor(link: GatewayLink, hooks: LogPanelHooks) {
    this.#link = link;
    this.#hooks = hooks;
    this.#view.drawn = () => this.#tell();
    this.#pause.addEventListener('click', () => this.togglePause());
    this.#newer.addEventListener('click', () => {
      if (this.#history.paused) this.togglePause();
      this.#view.toNewest();
    });
    this.#filter.addEventListener('input', () => this.#applyFilter());
    this.#subscription = this.#subscribe();
    link.onState(() => this.#view.update());
    this.#view.update();
  }

  /** The number of events held. */
  get events(): number {
    return this.#history.size;
  }

  /** The position up to which the page has read the log. */
  get position(): string | undefined {
    return this.#subscription.position;
  }

  /** Adds a line at the top of the log. */
  mark(text: string): void {
    this.#history.mark(text);
    this.#view.update();
  }

  focusFilter(): void {
    this.#filter.focus();
  }

  togglePause(): void {
    if (this.#history.paused) this.#history.resume();
    else this.#history.pause();
    const { paused } = this.#history;
    this.#pause.setAttribute('aria-pressed', String(paused));
    find(this.#pause, 'use', SVGUseElement).setAttribute('href', paused ? '#icon-resume' : '#icon-pause');
    this.#view.update();
  }

  #subscribe(): Subscription {
    const subscription = this.#link.subscribe({
      topics: ['#'],
      since: 'first',
      onEvent: (event) => {
        const isLive = subscription.state === 'live';
        const latencyMs = isLive ? Date.now() - Date.parse(event.time ?? '') : Number.NaN;
        this.#history.append(event, Number.isNaN(latencyMs) ? undefined : latencyMs);
        this.#hooks.received(event, isLive);
        this.#view.update();
      },
      onReset: (reason) => {
        // This subscription would continue with live events only. The page shows the whole log, so it subscribes again.
        subscription.close();
        this.#history.restart(resetText(reason));
        this.#hooks.reset(reason);
        this.#subscription = this.#subscribe();
        this.#view.update();
      },
    });
    return subscription;
  }

  #applyFilter(): void {
    const patterns = parsePatterns(this.#filter.value);
    this.#hint.hidden = patterns !== undefined;
    if (patterns) this.#filter.removeAttribute('aria-invalid');
    else this.#filter.setAttribute('aria-invalid', 'true');
    if (!patterns) return;
    this.#root.toggleAttribute('data-filtered', patterns.length > 0);
    this.#history.filterBy(filterOf(patterns));
    this.#view.showPatterns(patterns);
  }

  /** Shows the counts that the list itself cannot show. */
  #tell(): void {
    const { shown, size, paused, heldBack } = this.#history;
    const isFiltered = this.#filter.value.trim() !== '';
    const matching = isFiltered ? shown.filter((entry) => 'event' in entry).length : size;
    const count = isFiltered ? `${figure(matching)} of ${figure(size)}` : figure(size);
    this.#isKnown ||= size > 0 || this.#subscription.state === 'live';
    const isKnown = this.#isKnown;
    for (const element of this.#counts) setText(element, isKnown ? count : '–');
    const newer = paused ? heldBack : this.#view.unseen;
    this.#newer.hidden = newer === 0;
    setText(find(this.#newer, 'span', HTMLElement), `${figure(newer)} new`);
    this.#bones.hidden = isKnown;
    this.#empty.hidden = !isKnown || shown.length > 0;
    if (this.#empty.hidden) return;
    setText(
      find(this.#empty, '.title', HTMLElement),
      size > 0 ? 'No event matches the filter' : 'Nothing has happened yet',
    );
    setText(find(this.#empty, '.hint', HTMLElement), size > 0 ? hiddenText(size) : EMPTY_TEXT);
  }
}

const EMPTY_TEXT =
  'Each change shows up here the moment that it is committed, newest first. After a restart the history comes back from the log.';

function hiddenText(size: number): string {
  return `${counted(size, 'event')} ${size === 1 ? 'has' : 'have'} other topics. Words between dots: * stands for one word, # for any number of words.`;
}
