import type { ClusterMessage, ClusterResponse } from 'socket.io-adapter';
import { readBusMessage } from './bus-message-shape.js';

export type BusMessage = ClusterMessage | ClusterResponse;

/** The key under which bytes stand as base64; an object that has such a key itself is wrapped in one. */
const TAG = '$bytes';

/**
 * A message as JSON: what would go to clients, which is JSON beside bytes. So values are what `toJSON` makes of them, and functions are left
 * out.
 *
 * @throws RangeError if the message holds itself; TypeError if JSON cannot hold it
 */
export function encodeBusMessage(value: BusMessage): string {
  return JSON.stringify(pack(value));
}

/**
 * Reads a message, whoever wrote it: nothing but a message of the right shape gets through.
 *
 * @throws SyntaxError | TypeError if it is none
 */
export function decodeBusMessage(text: string): BusMessage {
  return readBusMessage(unpack(JSON.parse(text)));
}

function pack(value: unknown): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof ArrayBuffer) return { [TAG]: Buffer.from(value).toString('base64') };
  if (ArrayBuffer.isView(value)) {
    return { [TAG]: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') };
  }
  if ('toJSON' in value && typeof value.toJSON === 'function') return pack(value.toJSON());
  if (Array.isArray(value)) return value.map(pack);
  const packed = Object.fromEntries(Object.entries(value).map(([name, member]) => [name, pack(member)]));
  return Object.hasOwn(packed, TAG) ? { [TAG]: packed } : packed;
}

function unpack(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(unpack);
  const tagged: unknown = Object.hasOwn(value, TAG) ? Reflect.get(value, TAG) : undefined;
  if (typeof tagged === 'string') return Buffer.from(tagged, 'base64');
  return unpackMembers(typeof tagged === 'object' && tagged !== null ? tagged : value);
}

function unpackMembers(value: object): object {
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, unpack(member)]));
}
