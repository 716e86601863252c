/** If more elements change in one frame, none is highlighted, because a reader could not follow them. */
const MOST_IN_A_FRAME = 20;

/**
 * How long the class stays, in milliseconds: longer than the animation; with reduced motion, as long as the mark is
 * shown.
 */
const GLOW_MS = 1_000;
const STILL_MS = 4_000;

/** Highlights cells that changed and rows that are new. */
export class Glow {
  #waiting = new Map<HTMLElement, string>();
  readonly #marked = new Map<HTMLElement, ReturnType<typeof setTimeout>>();

  /** @param mark a class of the style sheet */
  mark(element: HTMLElement, mark: 'changed' | 'added'): void {
    if (this.#waiting.size === 0) requestAnimationFrame(() => this.#show());
    if (!this.#waiting.has(element)) this.#waiting.set(element, mark);
  }

  #show(): void {
    const waiting = this.#waiting;
    this.#waiting = new Map();
    if (waiting.size > MOST_IN_A_FRAME) return;
    for (const [element, mark] of waiting) this.#start(element, mark);
  }

  #start(element: HTMLElement, mark: string): void {
    clearTimeout(this.#marked.get(element));
    element.classList.remove(mark);
    // Forces a layout without the class, which restarts the animation.
    void element.offsetWidth;
    element.classList.add(mark);
    const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const end = () => {
      element.classList.remove(mark);
      this.#marked.delete(element);
    };
    this.#marked.set(element, setTimeout(end, isStill ? STILL_MS : GLOW_MS));
  }
}
