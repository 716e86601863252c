import { messageOf } from '@pregon/protocol';
import { Message } from './message.js';

/** An ephemeral message to all connections of a route, as gateways send it to each other. */
export interface Broadcast {
  readonly route: string;
  readonly message: Message;
}

/**
 * Encodes a broadcast as JSON: `{ route, name, data }`, or `{ route, name, base64 }` for bytes. Without data, both
 * members are left out.
 *
 * @throws TypeError if JSON cannot represent the data: it has a cycle, is a bigint or a function, or is nested too
 *   deeply
 */
export function encodeBroadcast({ route, message }: Broadcast): string {
  const head = `{"route":${JSON.stringify(route)},"name":${JSON.stringify(message.name)}`;
  if (message.data === undefined) return `${head}}`;
  const key = message.data instanceof Uint8Array ? 'base64' : 'data';
  return `${head},"${key}":${toJson(message.jsonData)}}`;
}

/** @throws SyntaxError | TypeError if the text is not a broadcast */
export function decodeBroadcast(text: string): Broadcast {
  const read: unknown = JSON.parse(text);
  if (typeof read !== 'object' || read === null) throw new TypeError('a broadcast must be an object');
  const { route, name, data, base64 }: Partial<Record<string, unknown>> = { ...read };
  if (typeof route !== 'string' || typeof name !== 'string') throw new TypeError('a broadcast needs route and name');
  return { route, message: new Message(name, typeof base64 === 'string' ? Buffer.from(base64, 'base64') : data) };
}

function toJson(data: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(data);
  } catch (cause) {
    const detail = messageOf(cause);
    throw new TypeError(`JSON cannot represent the data of the broadcast: ${detail}`, { cause });
  }
  if (json === undefined) throw new TypeError(`JSON cannot represent the data of the broadcast: a ${typeof data}`);
  return json;
}
