import { messageOf, PregonError, parseExactly, parseMembersExactly } from '@pregon/protocol';

/** Keeps a byte order mark, because it is part of a text that is not JSON. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const BYTE_ORDER_MARK = '\ufeff';

/** Decodes UTF-8 without replacing invalid bytes by U+FFFD. @returns undefined if the bytes are not UTF-8 */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Parses JSON from another program, wherever it enters the gateway. A value that JavaScript cannot represent exactly
 * keeps its text, see {@link parseExactly}. A byte order mark at the beginning is ignored (RFC 8259 section 8.1).
 *
 * @param what names the text in errors: `the body`
 * @throws PregonError EVENT_INVALID if the input is not UTF-8, is not JSON, or is nested too deeply
 * @see docs/reference/protocol.md#json-of-others
 */
export function readJson(input: string | Uint8Array, what: string): unknown {
  return parse(input, what, parseExactly);
}

/**
 * Parses a JSON object in the same way, each member by itself, see {@link parseMembersExactly}.
 *
 * @throws PregonError EVENT_INVALID as {@link readJson} does, and if the input is not an object or has a member twice
 */
export function readJsonObject(input: string | Uint8Array, what: string): Record<string, unknown> {
  return parse(input, what, parseMembersExactly);
}

function parse<T>(input: string | Uint8Array, what: string, parser: (text: string) => T): T {
  const text = typeof input === 'string' ? input : decodeUtf8(input);
  if (text === undefined) throw new PregonError('EVENT_INVALID', `${what} is not UTF-8`);
  try {
    return parser(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text);
  } catch (cause) {
    throw new PregonError('EVENT_INVALID', `${what} ${wrongOf(cause)}`, { cause });
  }
}

function wrongOf(cause: unknown): string {
  if (cause instanceof RangeError) return 'is nested too deeply';
  if (cause instanceof SyntaxError) return `is not JSON: ${cause.message}`;
  return `cannot be read: ${messageOf(cause)}`;
}
