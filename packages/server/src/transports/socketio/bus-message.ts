import { type ClusterMessage, type ClusterResponse, MessageType } from 'socket.io-adapter';
import { z } from 'zod';

export type BusMessage = ClusterMessage | ClusterResponse;

/** The key under which bytes stand as base64; an object that has such a key itself is wrapped in one. */
const TAG = '$bytes';

/** Rooms are texts by type; programs in JavaScript also name numbers. */
const room = z.custom<string>((name) => typeof name === 'string' || typeof name === 'number');

const opts = z.object({
  rooms: z.array(room),
  except: z.array(room).default([]),
  flags: z.record(z.string(), z.unknown()).default({}),
});

const from = { uid: z.string(), nsp: z.string() };

const packet = z.looseObject({ type: z.number(), data: z.array(z.unknown()), id: z.number().optional() });

const requestId = z.string();

const data = {
  broadcast: z.object({ opts, packet, requestId: requestId.optional() }),
  rooms: z.object({ opts, rooms: z.array(room) }),
  disconnect: z.object({ opts, close: z.boolean().optional() }),
  fetch: z.object({ opts, requestId }),
  fetched: z.object({ requestId, sockets: z.array(z.unknown()) }),
  emit: z.object({ packet: z.array(z.unknown()), requestId: requestId.optional() }),
  // JSON leaves out what is undefined.
  answer: z
    .object({ requestId, packet: z.unknown().optional() })
    .transform((given) => ({ requestId: given.requestId, packet: given.packet })),
  count: z.object({ requestId, clientCount: z.number() }),
};

const message = z.discriminatedUnion('type', [
  z.object({ ...from, type: z.literal(MessageType.INITIAL_HEARTBEAT) }),
  z.object({ ...from, type: z.literal(MessageType.HEARTBEAT) }),
  z.object({ ...from, type: z.literal(MessageType.ADAPTER_CLOSE) }),
  z.object({ ...from, type: z.literal(MessageType.BROADCAST), data: data.broadcast }),
  z.object({ ...from, type: z.literal(MessageType.SOCKETS_JOIN), data: data.rooms }),
  z.object({ ...from, type: z.literal(MessageType.SOCKETS_LEAVE), data: data.rooms }),
  z.object({ ...from, type: z.literal(MessageType.DISCONNECT_SOCKETS), data: data.disconnect }),
  z.object({ ...from, type: z.literal(MessageType.FETCH_SOCKETS), data: data.fetch }),
  z.object({ ...from, type: z.literal(MessageType.FETCH_SOCKETS_RESPONSE), data: data.fetched }),
  z.object({ ...from, type: z.literal(MessageType.SERVER_SIDE_EMIT), data: data.emit }),
  z.object({ ...from, type: z.literal(MessageType.SERVER_SIDE_EMIT_RESPONSE), data: data.answer }),
  z.object({ ...from, type: z.literal(MessageType.BROADCAST_CLIENT_COUNT), data: data.count }),
  z.object({ ...from, type: z.literal(MessageType.BROADCAST_ACK), data: data.answer }),
]);

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
  const parsed = message.safeParse(unpack(JSON.parse(text)));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new TypeError(`not a message between gateways: ${issue?.path.map(String).join('.')}: ${issue?.message}`);
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
