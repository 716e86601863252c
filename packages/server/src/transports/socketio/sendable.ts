/**
 * What of a value goes to other processes: what would go to clients. Socket.IO writes JSON beside bytes, so values are what `toJSON`
 * makes of them, and functions are left out.
 *
 * @throws RangeError where it holds itself
 */
export function sendable(value: unknown): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return value;
  if ('toJSON' in value && typeof value.toJSON === 'function') return sendable(value.toJSON());
  if (Array.isArray(value)) return value.map(sendable);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, sendable(member)]));
}
