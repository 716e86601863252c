/**
 * Stock clients that resume take the last of what they are sent for their place wherever it is a text. So the user's own text is never the
 * last: `null` follows it.
 *
 * @param data the event's name and its arguments
 */
export function guardLastArgument(data: readonly unknown[]): readonly unknown[] {
  return typeof data.at(-1) === 'string' ? [...data, null] : data;
}
