import { createEntryElement, createPayload } from './entry.js';
import type { EventHistory, LogEntry } from './history.js';
import { Layout, type TallRow } from './layout.js';
import { countAfter, entryAt, indexOf } from './places.js';
import { RowFocus } from './row-focus.js';

/** How far outside the visible part rows are kept in the DOM, in CSS pixels. */
const MARGIN = 400;
/** If more events arrive at once, none is marked as new, because the marks would only flicker. */
const MOST_MARKED = 8;

/** How long a new entry is marked, in milliseconds: at least as long as the animation in the style sheet. */
const MARK_MS = 1_600;

/** The row that the reader looks at. It keeps its place while others are added above it. */
interface Anchor {
  readonly serial: number;
  /** The distance from the upper edge of the row to that of the visible part. */
  readonly offset: number;
}

/**
 * The log as a list, newest first. Only the visible rows and a margin are in the DOM. The list follows new entries
 * until the reader scrolls away from the top or unfolds a row.
 */
export class LogView {
  readonly #history: EventHistory;
  readonly #scroller: HTMLElement;
  readonly #list: HTMLOListElement;
  readonly #elements = new Map<number, HTMLLIElement>();
  /** The extra height of unfolded rows, by serial. */
  readonly #extra = new Map<number, number>();
  readonly #resizes: ResizeObserver;
  readonly #focus: RowFocus;
  #patterns: readonly string[] = [];
  #layout = new Layout(1, []);
  #rowHeight = 1;
  /** The serial of the newest drawn entry, and of the newest entry drawn while the reader was at the top. */
  #drawn = 0;
  #seen = 0;
  #scheduled = false;

  constructor(history: EventHistory, scroller: HTMLElement, list: HTMLOListElement) {
    this.#history = history;
    this.#scroller = scroller;
    this.#list = list;
    this.#resizes = new ResizeObserver((entries) => this.#resized(entries));
    this.#resizes.observe(scroller);
    this.#focus = new RowFocus(list, {
      indexOf: (serial) => indexOf(history.shown, serial),
      count: () => history.shown.length,
      pageRows: () => Math.max(1, Math.floor(scroller.clientHeight / this.#rowHeight) - 1),
      show: (index) => this.#show(index),
    });
    scroller.addEventListener('scroll', () => this.#schedule(), { passive: true });
    list.addEventListener('click', ({ target }) => {
      const element = target instanceof Element ? target.closest('.event')?.closest('li') : undefined;
      if (element instanceof HTMLLIElement) this.#toggle(element);
    });
  }

  /** How many new entries at the top the reader has not seen, because the list is scrolled down. */
  get unseen(): number {
    return countAfter(this.#history.shown, this.#seen);
  }

  /** Called after each drawing of the list. */
  drawn: () => void = () => {};

  /** Draws the shown entries of the history in the next frame. */
  update(): void {
    this.#schedule();
  }

  /** Marks the words in the topics that these patterns contain. */
  showPatterns(patterns: readonly string[]): void {
    this.#patterns = patterns;
    for (const [serial, element] of this.#elements) this.#drop(serial, element);
    // Draw now: without a row in the DOM, Tab would skip the list.
    this.#draw();
  }

  toNewest(): void {
    this.#extra.clear();
    for (const [serial, element] of this.#elements) this.#drop(serial, element);
    this.#scroller.scrollTop = 0;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#draw();
    });
  }

  #draw(): void {
    // The other tab is selected: the list is hidden and cannot be measured.
    if (this.#scroller.clientHeight === 0) {
      this.#history.trim();
      this.drawn();
      return;
    }
    const isAway = this.#scroller.scrollTop >= this.#rowHeight / 2 || this.#extra.size > 0;
    const anchor = isAway ? this.#anchor() : undefined;
    this.#history.trim();
    const { shown } = this.#history;
    this.#layout = new Layout(this.#rowHeight, this.#tallRows(shown));
    const height = this.#layout.topOf(shown.length);
    this.#list.style.height = `${height}px`;
    if (anchor) this.#restore(anchor, shown);
    const { scrollTop, clientHeight } = this.#scroller;
    const from = this.#layout.indexAt(Math.max(0, scrollTop - MARGIN));
    const to = Math.min(shown.length, this.#layout.indexAt(scrollTop + clientHeight + MARGIN) + 1);
    this.#place(shown, from, to);
    this.#focus.drawn();
    this.#see(shown, isAway);
    this.drawn();
  }

  /** Puts the rows of a range of indices into the DOM, and removes all others. Rows that stay are not moved. */
  #place(shown: readonly LogEntry[], from: number, to: number): void {
    const wanted = new Set<number>();
    for (let index = from; index < to; index++) wanted.add(entryAt(shown, index)?.serial ?? 0);
    for (const [serial, element] of this.#elements) {
      // A row with the focus stays in the DOM even if it is not visible, so that the keyboard keeps its place.
      const keep =
        wanted.has(serial) || (element.contains(document.activeElement) && indexOf(shown, serial) !== undefined);
      if (!keep) this.#drop(serial, element);
    }
    let next: ChildNode | null = this.#list.firstChild;
    for (let index = from; index < to; index++) {
      const entry = entryAt(shown, index);
      if (!entry) continue;
      const element = this.#elements.get(entry.serial) ?? this.#create(entry);
      element.style.transform = `translateY(${this.#layout.topOf(index)}px)`;
      element.ariaPosInSet = String(index + 1);
      element.ariaSetSize = String(shown.length);
      if (element === next) next = next.nextSibling;
      else this.#list.insertBefore(element, next);
    }
  }

  #create(entry: LogEntry): HTMLLIElement {
    const element = createEntryElement(entry, this.#patterns);
    element.dataset['serial'] = String(entry.serial);
    this.#elements.set(entry.serial, element);
    if (this.#extra.has(entry.serial)) this.#unfold(element, entry);
    return element;
  }

  #drop(serial: number, element: HTMLLIElement): void {
    this.#resizes.unobserve(element);
    this.#elements.delete(serial);
    element.remove();
  }

  /** Marks new entries at the top. If the list is scrolled down, they count as unseen instead. */
  #see(shown: readonly LogEntry[], isAway: boolean): void {
    const added = countAfter(shown, this.#drawn);
    const isFirst = this.#drawn === 0;
    this.#drawn = Math.max(this.#drawn, shown.at(-1)?.serial ?? 0);
    if (isAway) return;
    this.#seen = this.#drawn;
    if (isFirst || added > MOST_MARKED) return;
    for (const { serial } of shown.slice(shown.length - added)) {
      const element = this.#elements.get(serial);
      element?.classList.add('new');
      setTimeout(() => element?.classList.remove('new'), MARK_MS);
    }
  }

  #anchor(): Anchor | undefined {
    const { scrollTop } = this.#scroller;
    for (const [serial, element] of this.#elements) {
      const top = Number.parseFloat(element.style.transform.slice('translateY('.length));
      const height = this.#rowHeight + (this.#extra.get(serial) ?? 0);
      if (top <= scrollTop && scrollTop < top + height) return { serial, offset: scrollTop - top };
    }
    return undefined;
  }

  #restore({ serial, offset }: Anchor, shown: readonly LogEntry[]): void {
    const index = indexOf(shown, serial);
    const top = index === undefined ? 0 : this.#layout.topOf(index) + offset;
    if (Math.abs(this.#scroller.scrollTop - top) > 0.5) this.#scroller.scrollTop = top;
  }

  #tallRows(shown: readonly LogEntry[]): TallRow[] {
    const rows: TallRow[] = [];
    for (const [serial, extra] of this.#extra) {
      const index = indexOf(shown, serial);
      if (index === undefined) this.#extra.delete(serial);
      else rows.push({ index, extra });
    }
    return rows.sort((a, b) => a.index - b.index);
  }

  #toggle(element: HTMLLIElement): void {
    const { shown } = this.#history;
    const entry = entryAt(shown, indexOf(shown, Number(element.dataset['serial'])) ?? -1);
    if (!entry || !('event' in entry)) return;
    const payload = element.querySelector('.payload');
    if (payload) {
      payload.remove();
      this.#resizes.unobserve(element);
      element.querySelector('.event')?.setAttribute('aria-expanded', 'false');
    } else this.#unfold(element, entry);
    this.#measure(element);
    // Draw now, not in the next frame: until then, the unfolded row would overlap the rows below it.
    this.#draw();
  }

  #unfold(element: HTMLLIElement, entry: LogEntry): void {
    if (!('event' in entry)) return;
    element.querySelector('.event')?.setAttribute('aria-expanded', 'true');
    element.append(createPayload(entry));
    this.#resizes.observe(element);
  }

  /** Scrolls just far enough to make a row visible. @returns its element */
  #show(index: number): HTMLLIElement | undefined {
    const top = this.#layout.topOf(index);
    const bottom = this.#layout.topOf(index + 1);
    const { scrollTop, clientHeight } = this.#scroller;
    if (top < scrollTop) this.#scroller.scrollTop = top;
    else if (bottom > scrollTop + clientHeight) this.#scroller.scrollTop = Math.min(top, bottom - clientHeight);
    this.#draw();
    return this.#elements.get(entryAt(this.#history.shown, index)?.serial ?? 0);
  }

  #resized(entries: readonly ResizeObserverEntry[]): void {
    for (const { target } of entries) if (target instanceof HTMLLIElement) this.#measure(target);
    this.#schedule();
    if (!entries.some(({ target }) => target === this.#scroller)) return;
    this.#rowHeight = Number.parseFloat(getComputedStyle(this.#list).getPropertyValue('--entry-height'));
    // Draw before this frame is painted, because rows of a new height would overlap in it.
    this.#draw();
  }

  #measure(element: HTMLLIElement): void {
    if (element.offsetHeight === 0) return;
    const serial = Number(element.dataset['serial']);
    const extra = element.offsetHeight - this.#rowHeight;
    if (extra > 1) this.#extra.set(serial, extra);
    else this.#extra.delete(serial);
  }
}
