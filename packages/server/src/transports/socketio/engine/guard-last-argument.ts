/**
 * Appends `null` to arguments that end with a string. Stock clients that can recover treat a string as last argument as
 * their offset, so a string of the application must never come last.
 *
 * @param data the event's name and its arguments
 */
export function guardLastArgument(data: readonly unknown[]): readonly unknown[] {
  return typeof data.at(-1) === 'string' ? [...data, null] : data;
}
