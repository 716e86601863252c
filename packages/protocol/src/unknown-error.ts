/**
 * The text for a thrown value that cannot be converted to a string: an object without a prototype, or a revoked proxy.
 */
const NO_TEXT = 'a value without a readable text was thrown';

/**
 * Converts a thrown value to an error whose message can be read. JavaScript code can throw any value, and code that
 * reports a failure must not fail itself.
 *
 * @returns the value itself if it is such an error, otherwise a new error with the text of {@link messageOf}; never
 * throws
 * @example
 * try {
 *   JSON.parse(text);
 * } catch (thrown) {
 *   report(toError(thrown));
 * }
 */
export function toError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error && typeof thrown.message === 'string') return thrown;
  } catch {
    // The value is a revoked proxy, or has a getter that throws.
  }
  return new Error(messageOf(thrown));
}

/**
 * Returns the message of an error, or the text of any other thrown value. The result is never empty, and the function
 * never throws. For an error without a message it is the code or the name: Node.js leaves the message empty if it tried
 * several addresses of a host.
 *
 * @example
 * messageOf(new Error('no route')); // 'no route'
 * messageOf('no route'); // 'no route'
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
