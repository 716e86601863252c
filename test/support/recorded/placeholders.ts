/** A position of today: 32 hexadecimal digits and 3 check digits. */
const POSITION = /[0-9a-f]{32}[0-9a-z]{3}/g;
const EVENT = /"id":"(event-\d+)".*?"position":"([0-9a-f]{32}[0-9a-z]{3})"/g;
const ID = /"(sid|pid|connection)":"([^"]+)"/g;
const STRING = /"(?:[^"\\]|\\.)*"/.source;

/** Any text, and any number; a number is written as a string, so that the frame stays JSON. */
export const ANY_TEXT = '«text»';
export const ANY_NUMBER = '«number»';

/**
 * Puts names in the place of what differs from run to run: `«position of event-3»`, `«sid of a»`. The names stand for the same values in
 * the frames of all wires, and in what the client sends.
 */
export class Marker {
  /** Value → name, in the order in which they came. */
  readonly #names = new Map<string, string>();

  /** What a client sends, with the values of this run. @throws Error if nothing has come that has the name */
  fill(text: string): string {
    return text.replace(/«([^»]+)»/g, (_, name) => {
      for (const [value, known] of this.#names) if (known === name) return value;
      throw new Error(`nothing is called ${name} yet`);
    });
  }

  mark(wire: string, frame: string): string {
    for (const [, id = '', position = ''] of frame.matchAll(EVENT)) this.#name(position, `position of ${id}`);
    for (const [, key = '', value = ''] of frame.matchAll(ID)) this.#name(value, `${key} of ${wire}`);
    for (const [position] of frame.matchAll(POSITION)) this.#name(position, 'position');
    // One value may be the beginning of another one.
    const longestFirst = [...this.#names].sort(([one], [other]) => other.length - one.length);
    const named = longestFirst.reduce((text, [value, name]) => text.replaceAll(value, `«${name}»`), frame);
    return markMeasured(named);
  }

  #name(value: string, wanted: string): void {
    if (this.#names.has(value)) return;
    const taken = new Set(this.#names.values());
    let name = wanted;
    for (let n = 2; taken.has(name); n++) name = `${wanted} ${n}`;
    this.#names.set(value, name);
  }
}

/** Figures that are measured, and texts for people. A handler's own words (FORBIDDEN) and `replaced` or `truncated` are part of the protocol. */
function markMeasured(frame: string): string {
  return frame
    .replace(/"(reconnectInMs|behind)":\d+/g, `"$1":"${ANY_NUMBER}"`)
    .replace(/^retry: \d+$/m, `retry: ${ANY_NUMBER}`)
    .replace(new RegExp(`("code":"(?!FORBIDDEN)[A-Z_]+","message":)${STRING}`, 'g'), `$1"${ANY_TEXT}"`)
    .replace(new RegExp(`^(44[^{]*{"message":)${STRING}`), `$1"${ANY_TEXT}"`)
    .replace(new RegExp(`("code":\\d+,"reason":)${STRING}`, 'g'), `$1"${ANY_TEXT}"`)
    .replace(/^END (\d+) (replaced|truncated)?.*$/, (_, code, kind = '') => `END ${code} ${kind}${ANY_TEXT}`);
}
