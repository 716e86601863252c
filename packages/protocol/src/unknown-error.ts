/** The text of a value that cannot be turned into one: an object without a prototype, a proxy that was revoked. */
const NO_TEXT = 'a value without a text was thrown';

/**
 * What was thrown, as an error whose message can be read. JavaScript lets any value be thrown, and code that reports a failure must not
 * fail itself.
 *
 * @returns the value itself if it is such an error, otherwise a new error with the text of {@link messageOf}. Never throws.
 */
export function toError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error && typeof thrown.message === 'string') return thrown;
  } catch {
    // A proxy that was revoked, or a getter that throws.
  }
  return new Error(messageOf(thrown));
}

/**
 * The message of an error, or the text of anything else that was thrown. Never throws and is never empty. Of an error
 * without a message, its code or its name: Node.js leaves the message empty if it tried several addresses of a host.
 */
export function messageOf(thrown: unknown): string {
  try {
    if (!(thrown instanceof Error)) return String(thrown) || NO_TEXT;
    if (thrown.message !== '') return String(thrown.message) || NO_TEXT;
    const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
    return code || String(thrown.name) || NO_TEXT;
  } catch {
    return NO_TEXT;
  }
}
