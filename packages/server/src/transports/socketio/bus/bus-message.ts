import type { ClusterMessage, ClusterResponse } from 'socket.io-adapter';
import { readBusMessage } from './bus-message-shape.js';

export type BusMessage = ClusterMessage | ClusterResponse;

/** The key that marks bytes in base64. An object that itself has such a key is wrapped in another one. */
const TAG = '$bytes';

/**
 * Encodes a message as JSON, with bytes in base64. Its content is what Socket.IO would send to clients: values are
 * replaced by what their `toJSON` returns, and functions are left out.
 *
 * @throws RangeError if the message contains itself; TypeError if it cannot be represented as JSON
 */
export function encodeBusMessage(value: BusMessage): string {
  return JSON.stringify(pack(value));
}

/**
 * Decodes and validates a message from an untrusted source.
 *
 * @throws SyntaxError | TypeError if the text is not a valid message
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
