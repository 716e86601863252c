/**
 * Characters that must not reach a terminal in text from outside: control characters (C0, DEL and C1), characters that
 * change the direction of text, and lone surrogates. They could move the cursor, change colours, or disguise a line.
 */
const UNSAFE = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * The text with unsafe characters as `\uXXXX`; a tab stays. JSON on one line keeps its meaning, because outside of its
 * strings it has none of these characters.
 */
export function visible(text: string): string {
  return text.replace(UNSAFE, (character) =>
    character === '\t' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Like {@link visible}, for text of several lines, such as a stack trace. */
export function visibleLines(text: string): string {
  return text.split(/\r?\n/).map(visible).join('\n');
}
