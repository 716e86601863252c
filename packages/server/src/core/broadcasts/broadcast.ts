import { messageOf } from '@pregon/protocol';
import { Message } from './message.js';

/** An ephemeral message to all connections of a route, as gateways tell each other. */
export interface Broadcast {
  readonly route: string;
  readonly message: Message;
}

/**
 * As JSON: `{ route, name, data }`, or `{ route, name, base64 }` for bytes; without either where there is no data.
 *
 * @throws TypeError where JSON cannot hold the data: a cycle, a bigint, a function, nested too deeply
 */
export function encodeBroadcast({ route, message }: Broadcast): string {
  const head = `{"route":${JSON.stringify(route)},"name":${JSON.stringify(message.name)}`;
  if (message.data === undefined) return `${head}}`;
  const key = message.data instanceof Uint8Array ? 'base64' : 'data';
  return `${head},"${key}":${toJson(message.jsonData)}}`;
}

/** @throws SyntaxError | TypeError where the text is no broadcast */
export function decodeBroadcast(text: string): Broadcast {
  const read: unknown = JSON.parse(text);
  if (typeof read !== 'object' || read === null) throw new TypeError('a broadcast is an object');
  const { route, name, data, base64 }: Partial<Record<string, unknown>> = { ...read };
  if (typeof route !== 'string' || typeof name !== 'string') throw new TypeError('a broadcast has a route and a name');
  return { route, message: new Message(name, typeof base64 === 'string' ? Buffer.from(base64, 'base64') : data) };
}

function toJson(data: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(data);
  } catch (cause) {
    const detail = messageOf(cause);
    throw new TypeError(`JSON cannot hold what is to be broadcast: ${detail}`, { cause });
  }
  if (json === undefined) throw new TypeError(`JSON cannot hold what is to be broadcast: a ${typeof data}`);
  return json;
}
