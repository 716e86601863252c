/** Printable ASCII without `%`, `?`, `#` and `\\`: a path of only these characters is already canonical. */
const PLAIN = /^[!"$&->@-[\]-~]*$/;

/** Bytes that stay encoded, because unencoded they have another meaning or no URL contains them. */
const KEPT = new Set([...'/%?#\\'].map((character) => character.charCodeAt(0)));

/**
 * Normalises a path, so that two spellings of the same path compare equal (RFC 3986 section 6.2.2). Characters beyond
 * ASCII are percent-encoded as UTF-8, hexadecimal digits are upper case, and unnecessary encodings are removed. An
 * encoded slash, `%2F`, stays different from a slash. `//` and dots are not changed.
 *
 * @param path in any spelling: `/événements`, or `/%C3%A9v%C3%A9nements`
 */
export function canonicalPath(path: string): string {
  return PLAIN.test(path) ? path : canonical(Buffer.from(path, 'utf8'));
}

/**
 * Normalises the path of a request target, without the query. HTTP sends bytes, which Node.js decodes as Latin-1.
 *
 * @param path as in `IncomingMessage.url`
 */
export function canonicalTargetPath(path: string): string {
  return PLAIN.test(path) ? path : canonical(Buffer.from(path, 'latin1'));
}

/**
 * Whether a path has a segment `.` or `..`, encoded or not. URL parsers resolve such segments, so no client could
 * request the path.
 */
export function hasDotSegments(path: string): boolean {
  return canonicalPath(path)
    .split('/')
    .some((segment) => segment === '.' || segment === '..');
}

/** The percent-encoded form of each byte. */
const ENCODED = Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`);

function canonical(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    const escaped = byte === 0x25 ? byteAt(bytes, at + 1) : undefined;
    if (escaped !== undefined) at += 2;
    text += byteText(escaped ?? byte, escaped === undefined);
  }
  return text;
}

function byteText(byte: number, isRaw: boolean): string {
  const isPrintable = byte > 0x20 && byte < 0x7f;
  // A raw "%" is not the start of an encoded byte here; it stays different from an encoded "%".
  if (isPrintable && (!KEPT.has(byte) || (isRaw && (byte === 0x2f || byte === 0x25)))) return String.fromCharCode(byte);
  return ENCODED[byte] ?? '';
}

/**
 * The byte that two hexadecimal digits encode. It creates no substrings, because any client can send a path that
 * consists only of `%`.
 */
function byteAt(bytes: Buffer, at: number): number | undefined {
  const high = digitOf(bytes[at]);
  const low = digitOf(bytes[at + 1]);
  return high === undefined || low === undefined ? undefined : high * 16 + low;
}

function digitOf(byte = 0): number | undefined {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : undefined;
}
