import { ANY_NUMBER, ANY_TEXT } from './placeholders.js';

/** The values in a replay for the placeholders of a recording. */
export class Bindings {
  readonly #values = new Map<string, string>();

  /** Replaces placeholders in a text that the client sends. @throws Error if a placeholder has no value yet */
  fill(text: string): string {
    return text.replace(/«([^»]+)»/g, (_, name) => {
      const value = this.#values.get(name);
      if (value === undefined)
        throw new Error(`the placeholder ${name} has no value: no frame of this replay contained it`);
      return value;
    });
  }

  /** Whether a text equals the recorded one. New placeholders get the values that the text has in their place. */
  matches(recorded: string, actual: string): boolean {
    const names: string[] = [];
    const parts = recorded.split(/(«[^»]+»)/).map((part) => this.#pattern(part, names));
    const found = new RegExp(`^${parts.join('')}$`, 's').exec(actual);
    if (!found) return false;
    for (const [index, name] of names.entries()) {
      const value = found[index + 1] ?? '';
      if ((this.#values.get(name) ?? value) !== value) return false;
      this.#values.set(name, value);
    }
    return true;
  }

  #pattern(part: string, names: string[]): string {
    if (part === ANY_TEXT) return '.*';
    if (part === ANY_NUMBER) return '-?\\d+';
    if (!part.startsWith('«')) return escaped(part);
    const name = part.slice(1, -1);
    const known = this.#values.get(name);
    if (known !== undefined) return escaped(known);
    names.push(name);
    return '([^"\\s]{1,200})';
  }
}

/**
 * Whether a frame is the same for a client of the recorded release: it has everything that was recorded. Objects may
 * have more members, which clients ignore.
 */
export function isServedStill(recorded: string, actual: string, bindings: Bindings): boolean {
  const [before, after] = [recorded.split('\n'), actual.split('\n')];
  return (
    before.length === after.length && before.every((line, index) => matchesLine(line, after[index] ?? '', bindings))
  );
}

/** Compares a line of a frame: the text before its JSON, and the JSON. */
function matchesLine(recorded: string, actual: string, bindings: Bindings): boolean {
  const [before, after] = [split(recorded), split(actual)];
  if (!before || !after) return bindings.matches(recorded, actual);
  return bindings.matches(before.head, after.head) && matchesValue(before.json, after.json, bindings);
}

function split(line: string): { head: string; json: unknown } | undefined {
  const start = line.search(/[{[]/);
  if (start < 0) return undefined;
  try {
    return { head: line.slice(0, start), json: JSON.parse(line.slice(start)) };
  } catch {
    return undefined;
  }
}

function matchesValue(recorded: unknown, actual: unknown, bindings: Bindings): boolean {
  if (recorded === ANY_NUMBER) return typeof actual === 'number';
  if (typeof recorded === 'string') return typeof actual === 'string' && bindings.matches(recorded, actual);
  if (Array.isArray(recorded)) {
    if (!Array.isArray(actual) || recorded.length !== actual.length) return false;
    return recorded.every((value, index) => matchesValue(value, actual[index], bindings));
  }
  if (typeof recorded !== 'object' || recorded === null) return recorded === actual;
  if (typeof actual !== 'object' || actual === null || Array.isArray(actual)) return false;
  return Object.entries(recorded).every(([key, value]) => matchesValue(value, Reflect.get(actual, key), bindings));
}

/** Whether clients of the recorded release ignore a frame because they do not know its name. */
export function isIgnored(frame: string, known: readonly string[]): boolean {
  const name = nameOf(frame);
  return name !== undefined && !known.includes(name);
}

/** The name of a control frame, an SSE block or a Socket.IO event; undefined if it has none. */
export function nameOf(frame: string): string | undefined {
  const block = /^event: (.*)$/m.exec(frame)?.[1];
  if (block !== undefined) return block;
  const emitted = /^42(?:\/[^,]*,)?\d*\["([^"]+)"/.exec(frame)?.[1];
  if (emitted !== undefined) return emitted;
  const json = frame.startsWith('{') ? split(frame)?.json : undefined;
  if (typeof json !== 'object' || json === null || 'specversion' in json || !('op' in json)) return undefined;
  return String(json.op);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
