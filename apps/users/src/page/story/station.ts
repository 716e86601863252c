import { find, setText } from '../dom.js';

export type LampState = 'live' | 'wait' | 'bad' | 'off' | 'unknown';

/** The track to the next station: events pass (`live`), do not pass (`cut`), or it is unknown (`off`). */
export type Track = 'live' | 'cut' | 'off';

export type Tone = 'plain' | 'good' | 'wait' | 'bad';

/** The state of a lamp, for screen readers. */
const LAMP_WORDS: Readonly<Record<LampState, string>> = {
  live: 'live',
  wait: 'waiting',
  bad: 'down',
  off: 'closed',
  unknown: 'not known',
};

export interface StationFace {
  readonly lamp: LampState;
  readonly track?: Track;
  /** Shown before the figure, smaller; hidden if there is no room. */
  readonly unit?: string;
  readonly value: string;
  /** The line below the figure. `lead` before it and `more` after it are hidden if there is no room. */
  readonly note: string;
  readonly lead?: string;
  readonly more?: string;
  readonly tone?: Tone;
  /** The whole text, on hover. */
  readonly title?: string;
}

/** The most dots that move on one track at once. */
const MOST_SPARKS = 4;

/** One station of the line: lamp, name, figure, note. */
export class Station {
  readonly #root: HTMLLIElement;
  readonly #lamp: HTMLElement;
  readonly #unit = document.createElement('span');
  readonly #figure = document.createElement('span');
  readonly #note: HTMLElement;
  readonly #lead = document.createElement('span');
  readonly #brief = document.createElement('span');
  readonly #more = document.createElement('span');
  #sparks = 0;

  constructor(name: string) {
    this.#root = find(document, `#station-${name}`, HTMLLIElement);
    this.#lamp = find(this.#root, '.lamp', HTMLElement);
    this.#note = find(this.#root, '.note', HTMLElement);
    this.#unit.className = 'wide unit';
    this.#lead.className = 'wide';
    this.#more.className = 'wide';
    find(this.#root, '.value', HTMLElement).replaceChildren(this.#unit, this.#figure);
    this.#note.replaceChildren(this.#lead, this.#brief, this.#more);
  }

  show({
    lamp,
    track = 'off',
    unit = '',
    value,
    note,
    lead = '',
    more = '',
    tone = 'plain',
    title = '',
  }: StationFace): void {
    if (this.#lamp.dataset['state'] !== lamp) {
      this.#lamp.dataset['state'] = lamp;
      this.#lamp.ariaLabel = LAMP_WORDS[lamp];
    }
    this.#root.dataset['track'] = track;
    this.#note.dataset['tone'] = tone;
    this.#root.title = title;
    setText(this.#unit, unit === '' ? '' : `${unit} `);
    setText(this.#figure, value);
    setText(this.#lead, lead);
    setText(this.#brief, note);
    setText(this.#more, more === '' ? '' : ` · ${more}`);
  }

  /** Moves a dot to the next station, to show an event. */
  spark(): void {
    if (this.#sparks >= MOST_SPARKS || document.hidden || matchMedia('(prefers-reduced-motion: reduce)').matches)
      return;
    const spark = document.createElement('span');
    spark.className = 'spark';
    this.#sparks++;
    spark.addEventListener('animationend', () => {
      spark.remove();
      this.#sparks--;
    });
    this.#root.append(spark);
  }
}
