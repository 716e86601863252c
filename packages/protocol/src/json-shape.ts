import { PregonError } from './errors.js';
import { CLOSE_BRACE, CLOSE_BRACKET, COMMA, endOfString, OPEN_BRACE, OPEN_BRACKET, QUOTE } from './json-scan.js';

/**
 * Limits for a JSON text of any length. Depth and the number of values determine how slow it is to parse, not its
 * bytes.
 */
export interface JsonShape {
  /** The maximum nesting depth of arrays and objects. */
  readonly maxDepth: number;
  /** The maximum number of members, elements, arrays and objects. */
  readonly maxValues: number;
}

const COLON = 0x3a;

/**
 * Scans a text once, without parsing it, and throws as soon as it exceeds a limit. `JSON.parse` takes up to 2 µs for
 * each value and one stack frame for each level: 1 MB of `[` costs 0.1 s. The function does not check that the text is
 * JSON; the parser does.
 *
 * @throws PregonError FRAME_INVALID (too deep) | FRAME_TOO_LARGE (too many values)
 * @example
 * assertJsonShape(text, { maxDepth: 64, maxValues: 16_384 });
 */
export function assertJsonShape(text: string, { maxDepth, maxValues }: JsonShape): void {
  // Each level and each value takes at least one character.
  if (text.length <= maxDepth && text.length <= maxValues) return;
  let depth = 0;
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at);
        break;
      case OPEN_BRACKET:
      case OPEN_BRACE:
        depth += 1;
        values += 1;
        if (depth > maxDepth)
          throw new PregonError('FRAME_INVALID', `the JSON is nested more than ${maxDepth} levels deep`);
        break;
      case CLOSE_BRACKET:
      case CLOSE_BRACE:
        depth -= 1;
        break;
      case COMMA:
      case COLON:
        values += 1;
        break;
    }
    if (values > maxValues) throw new PregonError('FRAME_TOO_LARGE', `the JSON has more than ${maxValues} values`);
  }
}
