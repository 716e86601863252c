/**
 * Returns the number of bytes of a text in UTF-8; a lone surrogate counts as three. It does not use TextEncoder,
 * because browsers and Node.js declare different types for it.
 */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes;
}
