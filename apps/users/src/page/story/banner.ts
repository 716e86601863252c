import { find, setText } from '../dom.js';

/** How long good news is shown, unless the pointer or the focus is in it. */
const GOOD_MS = 10_000;

const ICONS = { bad: 'alert', wait: 'clock', good: 'check' } as const;

export interface Notice {
  readonly kind: keyof typeof ICONS;
  readonly title: string;
  readonly text: string;
  /** When the next attempt is made, in milliseconds since the Unix epoch; `now` while one is running. */
  readonly retryAt?: number | 'now' | undefined;
  /** The label of the retry button; no button if undefined. */
  readonly retry?: string | undefined;
  /** Whether the notice can be dismissed. @default true only for good news */
  readonly canGo?: boolean;
}

/** The banner across the page: an outage, catching up, and the return. */
export class Banner {
  readonly #root = find(document, '#banner', HTMLElement);
  readonly #icon = find(this.#root, ':scope > .icon use', SVGUseElement);
  readonly #title = find(this.#root, '.title', HTMLElement);
  readonly #text = find(this.#root, '.text', HTMLElement);
  readonly #next = find(this.#root, '.next', HTMLElement);
  readonly #retry = find(this.#root, '.retry', HTMLButtonElement);
  readonly #dismiss = find(this.#root, '.dismiss', HTMLButtonElement);
  /** Text for screen readers: each state is announced once, without later changes of numbers. */
  readonly #spoken = find(document, '#spoken', HTMLElement);
  readonly #runout = find(this.#root, '.runout', HTMLElement);
  #retryAt: number | 'now' | undefined;
  #ticking: ReturnType<typeof setInterval> | undefined;
  #going: ReturnType<typeof setTimeout> | undefined;

  constructor(retry: () => void) {
    this.#retry.addEventListener('click', retry);
    this.#dismiss.addEventListener('click', () => this.hide());
    for (const name of ['pointerenter', 'focusin']) this.#root.addEventListener(name, () => clearTimeout(this.#going));
    for (const name of ['pointerleave', 'focusout']) this.#root.addEventListener(name, () => this.#goSoon());
  }

  get kind(): Notice['kind'] | undefined {
    const { kind } = this.#root.dataset;
    return this.#root.hidden || (kind !== 'bad' && kind !== 'wait' && kind !== 'good') ? undefined : kind;
  }

  show({ kind, title, text, retryAt, retry, canGo = kind === 'good' }: Notice): void {
    const isNew = this.#root.hidden || this.#root.dataset['kind'] !== kind;
    this.#root.hidden = false;
    this.#root.dataset['kind'] = kind;
    this.#icon.setAttribute('href', `#icon-${ICONS[kind]}`);
    setText(this.#title, title);
    setText(this.#text, text);
    this.#retry.hidden = retry === undefined;
    setText(find(this.#retry, 'span', HTMLElement), retry ?? '');
    this.#dismiss.hidden = !canGo;
    this.#countDownTo(retryAt);
    if (!isNew && kind !== 'good') return;
    setText(this.#spoken, `${title}. ${text}`);
    this.#goSoon();
  }

  hide(): void {
    this.#countDownTo(undefined);
    clearTimeout(this.#going);
    this.#root.hidden = true;
    setText(this.#spoken, '');
  }

  #goSoon(): void {
    clearTimeout(this.#going);
    if (this.#root.dataset['kind'] !== 'good') return;
    this.#going = setTimeout(() => this.hide(), GOOD_MS);
  }

  /** Shows the time until the next attempt, in words and as a shrinking line. */
  #countDownTo(retryAt: number | 'now' | undefined): void {
    if (retryAt === this.#retryAt) return;
    this.#retryAt = retryAt;
    clearInterval(this.#ticking);
    for (const animation of this.#runout.getAnimations()) animation.cancel();
    this.#next.hidden = retryAt === undefined;
    this.#runout.hidden = typeof retryAt !== 'number';
    if (retryAt === 'now') setText(this.#next, 'Trying now');
    if (typeof retryAt !== 'number') return;
    const seconds = document.createElement('b');
    this.#next.replaceChildren('Next attempt in ', seconds);
    const tick = () => setText(seconds, `${Math.max(1, Math.ceil((retryAt - Date.now()) / 1_000))} s`);
    tick();
    this.#ticking = setInterval(tick, 250);
    this.#runout.animate([{ scale: '1 1' }, { scale: '0 1' }], {
      duration: Math.max(1, retryAt - Date.now()),
      fill: 'forwards',
    });
  }
}
