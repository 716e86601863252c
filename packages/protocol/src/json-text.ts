import { elementsOf, splitMember, withoutBlanks } from './json-scan.js';

/**
 * JSON that `JSON.parse` would change: `12345678901234567890`, `1e400`, `-0`, a key that occurs twice. It takes the place of the parsed value
 * in an event. {@link stringifyExactly} writes the original text, `JSON.stringify` the value that `JSON.parse` reads from it.
 */
export class JsonText {
  /** Compact JSON: no white space between its tokens. */
  readonly text: string;

  /** @throws SyntaxError if the text is not JSON */
  constructor(text: string) {
    JSON.parse(text);
    this.text = withoutBlanks(text);
  }

  toJSON(): unknown {
    return JSON.parse(this.text);
  }
}

/**
 * Parses JSON of another program without loss: if `JSON.stringify` would not restore the text, the result is a {@link JsonText}.
 *
 * @throws SyntaxError if the text is not JSON
 * @throws RangeError if it is nested too deeply
 *
 * @example
 * parseExactly('{"id":42}'); // { id: 42 }
 * parseExactly('{"id":9007199254740993}'); // a JsonText: as a number it would be 9007199254740992
 */
export function parseExactly(text: string): unknown {
  const value: unknown = JSON.parse(text);
  // A string is what it says, however it is spelled.
  if (typeof value === 'string') return value;
  return JSON.stringify(value) === withoutBlanks(text) ? value : new JsonText(text);
}

/**
 * Parses an object of another program, each member as {@link parseExactly} does.
 *
 * @throws SyntaxError if the text is not JSON
 * @throws TypeError if it is not an object, or a member occurs twice: JSON does not define which of the two counts
 * @throws RangeError if it is nested too deeply
 */
export function parseMembersExactly(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError('it is not a JSON object');
  const members = new Map<string, unknown>();
  for (const member of elementsOf(text)) {
    const [key, valueText] = splitMember(member);
    const name: unknown = JSON.parse(key);
    if (members.has(String(name))) throw new TypeError(`the member ${key.slice(0, 80)} is there twice`);
    members.set(String(name), parseExactly(valueText));
  }
  return Object.fromEntries(members);
}

/**
 * Writes an object as JSON; each member that is a {@link JsonText} keeps its original text. Deeper ones do not.
 *
 * @throws TypeError | RangeError as `JSON.stringify` does
 */
export function stringifyExactly(value: object): string {
  if (!Object.values(value).some((member) => member instanceof JsonText)) return JSON.stringify(value);
  const members: string[] = [];
  for (const [key, member] of Object.entries(value)) {
    const text: string | undefined = member instanceof JsonText ? member.text : JSON.stringify(member);
    if (text !== undefined) members.push(`${JSON.stringify(key)}:${text}`);
  }
  return `{${members.join(',')}}`;
}
