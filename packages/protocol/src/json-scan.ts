export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
const SPACE = 0x20;
const BACKSLASH = 0x5c;

const BLANK = /[ \t\n\r]/;

/**
 * Returns the index of the closing quote of the string that begins at `start`, or the length of the text if there is
 * none.
 */
export function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return quote;
  }
  return text.length;
}

/**
 * Removes the white space between the tokens of a JSON text. Strings and the digits of numbers stay unchanged.
 *
 * @param text valid JSON
 * @example
 * withoutBlanks('{ "id": 1e2 }'); // '{"id":1e2}'
 */
export function withoutBlanks(text: string): string {
  if (!BLANK.test(text)) return text;
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code <= SPACE) {
      if (at > from) parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  parts.push(text.slice(from));
  return parts.join('');
}

/**
 * Splits a JSON array into the texts of its elements, or an object into the texts of its members, each `"key":value`.
 *
 * @param text a valid JSON array or object
 * @example
 * elementsOf('[1,{"a":2}]'); // ['1', '{"a":2}']
 */
export function elementsOf(text: string): string[] {
  const elements: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at);
        break;
      case OPEN_BRACKET:
      case OPEN_BRACE:
        depth += 1;
        if (depth === 1) from = at + 1;
        break;
      case CLOSE_BRACKET:
      case CLOSE_BRACE:
        depth -= 1;
        if (depth === 0) elements.push(text.slice(from, at));
        break;
      case COMMA:
        if (depth !== 1) break;
        elements.push(text.slice(from, at));
        from = at + 1;
        break;
    }
  }
  // An empty array or object yields one empty part between its brackets, which is not an element.
  const [only] = elements;
  return elements.length === 1 && only?.trim() === '' ? [] : elements;
}

/**
 * Splits a member of an object, as {@link elementsOf} returns it.
 *
 * @returns the key, still quoted, and the text of the value
 * @example
 * splitMember('"id":42'); // ['"id"', '42']
 */
export function splitMember(member: string): [key: string, value: string] {
  const start = member.indexOf('"');
  const end = endOfString(member, start);
  return [member.slice(start, end + 1), member.slice(member.indexOf(':', end) + 1)];
}
