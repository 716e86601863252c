import { elementsOf, splitMember, withoutBlanks } from './json-scan.js';

/**
 * A JSON text that `JSON.parse` would change: `12345678901234567890`, `1e400`, `-0`, an object with a repeated key. It
 * replaces the parsed value in an event. {@link stringifyExactly} writes the original text. `JSON.stringify` writes the
 * value that `JSON.parse` reads from it.
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
 * Parses JSON from another program without loss. If `JSON.stringify` would not restore the text, the result is a {@link
 * JsonText}.
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
  // Different escapes of a string mean the same string, so its text need not be preserved.
  if (typeof value === 'string') return value;
  return JSON.stringify(value) === withoutBlanks(text) ? value : new JsonText(text);
}

/**
 * Parses a JSON object from another program and applies {@link parseExactly} to each member.
 *
 * @throws SyntaxError if the text is not JSON
 * @throws TypeError if it is not an object, or if a member occurs twice: JSON does not define which of the two counts
 * @throws RangeError if it is nested too deeply
 * @example
 * parseMembersExactly('{"id":42,"price":1e400}'); // { id: 42, price: a JsonText }
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
 * Writes an object as JSON. Each direct member that is a {@link JsonText} keeps its original text; deeper ones do not.
 *
 * @throws TypeError | RangeError as `JSON.stringify` does
 * @example
 * stringifyExactly({ data: parseExactly('1e400') }); // '{"data":1e400}'
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
