import { PregonError } from './errors.js';
import { CLOSE_BRACE, CLOSE_BRACKET, COMMA, endOfString, OPEN_BRACE, OPEN_BRACKET, QUOTE } from './json-scan.js';

/** What a JSON text may look like, whatever its length: depth and number of values are what makes it slow to parse, not bytes. */
export interface JsonShape {
  /** How deeply arrays and objects may be nested. */
  readonly maxDepth: number;
  /** How many members, elements, arrays and objects there may be. */
  readonly maxValues: number;
}

const COLON = 0x3a;

/**
 * Looks over a text once, without parsing it, and refuses it as soon as it exceeds a limit. `JSON.parse` takes up to 2 µs for each value,
 * and keeps a stack frame for each level: 1 MB of `[` costs 0.1 s. Whether the text is JSON at all is left to the parser.
 *
 * @throws PregonError FRAME_INVALID (too deep) | FRAME_TOO_LARGE (too many values)
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
        if (depth > maxDepth) throw new PregonError('FRAME_INVALID', `nested more than ${maxDepth} levels deep`);
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
    if (values > maxValues) throw new PregonError('FRAME_TOO_LARGE', `more than ${maxValues} values in one frame`);
  }
}
