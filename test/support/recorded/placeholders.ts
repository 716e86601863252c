/** A position: 32 hexadecimal digits and 3 check digits. */
const POSITION = /[0-9a-f]{32}[0-9a-z]{3}/g;
const EVENT = /"id":"(event-\d+)".*?"position":"([0-9a-f]{32}[0-9a-z]{3})"/g;
const ID = /"(sid|pid|connection)":"([^"]+)"/g;
const STRING = /"(?:[^"\\]|\\.)*"/.source;

/** Placeholders for any text and any number. A number becomes a string, so that the frame remains valid JSON. */
export const ANY_TEXT = '«text»';
export const ANY_NUMBER = '«number»';

/**
 * Replaces values that differ from run to run by placeholders: `«position of event-3»`, `«sid of a»`. A placeholder
 * stands for the same value in the frames of all wires, and in the texts that the client sends.
 */
export class Marker {
  /** Value → placeholder, in the order of their first appearance. */
  readonly #names = new Map<string, string>();

  /** Replaces placeholders in a text that the client sends. @throws Error if a placeholder has no value yet */
  fill(text: string): string {
    return text.replace(/«([^»]+)»/g, (_, name) => {
      for (const [value, known] of this.#names) if (known === name) return value;
      throw new Error(`the placeholder ${name} has no value yet`);
    });
  }

  mark(wire: string, frame: string): string {
    for (const [, id = '', position = ''] of frame.matchAll(EVENT)) this.#name(position, `position of ${id}`);
    for (const [, key = '', value = ''] of frame.matchAll(ID)) this.#name(value, `${key} of ${wire}`);
    for (const [position] of frame.matchAll(POSITION)) this.#name(position, 'position');
    // One value may be a prefix of another.
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

/**
 * Replaces measured numbers, and texts for people. The text of an application's handler (FORBIDDEN) and the reasons
 * `replaced` and `truncated` stay: they are part of the protocol.
 */
function markMeasured(frame: string): string {
  return frame
    .replace(/"(reconnectInMs|behind)":\d+/g, `"$1":"${ANY_NUMBER}"`)
    .replace(/^retry: \d+$/m, `retry: ${ANY_NUMBER}`)
    .replace(new RegExp(`("code":"(?!FORBIDDEN)[A-Z_]+","message":)${STRING}`, 'g'), `$1"${ANY_TEXT}"`)
    .replace(new RegExp(`^(44[^{]*{"message":)${STRING}`), `$1"${ANY_TEXT}"`)
    .replace(new RegExp(`("code":\\d+,"reason":)${STRING}`, 'g'), `$1"${ANY_TEXT}"`)
    .replace(/^END (\d+) (replaced|truncated)?.*$/, (_, code, kind = '') => `END ${code} ${kind}${ANY_TEXT}`);
}
