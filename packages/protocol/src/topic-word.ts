import { MAX_TOPIC_BYTES } from './topics.js';
import { utf8Length } from './utf8-length.js';

/** The characters that {@link encodeURIComponent} leaves as they are, although a topic word must not contain them. */
const NOT_ENCODED: Readonly<Record<string, string>> = { '.': '%2E', '*': '%2A' };

/**
 * Makes one word of a topic from any value, for example from a user id that is an e-mail address. What a word cannot hold is
 * percent-encoded as UTF-8 with upper-case digits (RFC 3986 section 2.1): `.`, `*`, `#`, `%`, white space and control characters, and
 * also `,`, which separates the patterns of a URL. Every other character stays as it is.
 *
 * Two different values never have the same word. {@link decodeURIComponent} gives the value back.
 *
 * A gateway encodes the claims of a token in the same way before it compares rules with topics, so a rule `user.{sub}.#` applies to the
 * topics that an application builds with this function.
 *
 * @returns a valid topic word of at most 255 bytes of UTF-8, never a wildcard
 * @throws RangeError if the value is empty, holds a lone surrogate (which UTF-8 cannot hold), or has a word of more than 255 bytes
 * @example
 * topicWord('42'); // '42'
 * topicWord('ada@example.com'); // 'ada@example%2Ecom'
 * outbox.add(tx, { topic: `user.${topicWord(user.email)}.changed`, … });
 * @see docs/reference/protocol.md#topics
 */
export function topicWord(value: string): string {
  if (value === '') throw new RangeError('the empty string is no topic word');
  // A word is at least as long as its value: a long value is refused before it is read.
  if (value.length > MAX_TOPIC_BYTES) throw tooLong();
  if (/\p{Cs}/u.test(value)) throw new RangeError('a topic word must not contain a lone surrogate');
  const word = value.replace(
    /[.*#%,\s\p{Cc}]/gu,
    (character) => NOT_ENCODED[character] ?? encodeURIComponent(character),
  );
  if (utf8Length(word) > MAX_TOPIC_BYTES) throw tooLong();
  return word;
}

function tooLong(): RangeError {
  return new RangeError(`a topic word has at most ${MAX_TOPIC_BYTES} bytes of UTF-8`);
}
