import { decodeUtf8 } from '../../core/json-input.js';

/** How deep lists and objects may be nested, as in the frames of clients. */
const MOST_DEPTH = 64;

/**
 * The members of a JSON object in UTF-8, with the values of `JSON.parse`. A name that occurs twice in one object, at any
 * depth, makes it invalid: programs disagree about which of the two counts (RFC 7519 section 4). The time is
 * proportional to the size.
 *
 * @returns undefined if the bytes are not such an object, or are nested deeper than 64 levels
 */
export function jsonMembers(bytes: Uint8Array | undefined): Readonly<Record<string, unknown>> | undefined {
  const text = bytes && decodeUtf8(bytes);
  if (text === undefined) return undefined;
  const { colons, depth } = outlineOf(text);
  if (depth > MOST_DEPTH) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    // One colon follows each name, so fewer names than colons mean that a name has replaced an equal one.
    return isRecord(value) && countNames(value) === colons ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What is outside of strings. Of a text that is not JSON it says nothing. */
function outlineOf(text: string): { readonly colons: number; readonly depth: number } {
  let [colons, depth, deepest, isInString] = [0, 0, 0, false];
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '"') isInString = !isInString;
    else if (isInString) {
      // What is escaped does not end the string.
      if (character === '\\') index += 1;
    } else if (character === ':') colons += 1;
    else if (character === '{' || character === '[') {
      depth += 1;
      deepest = Math.max(deepest, depth);
    } else if (character === '}' || character === ']') depth -= 1;
  }
  return { colons, depth: deepest };
}

/** Of all objects in the value, which is nested {@link MOST_DEPTH} levels at most. */
function countNames(value: object): number {
  let count = Array.isArray(value) ? 0 : Object.keys(value).length;
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null) count += countNames(member);
  }
  return count;
}
