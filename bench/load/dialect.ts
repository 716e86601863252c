import { BEFORE_NUMBER, PACKET_HEAD } from '../events.js';

/** The reaction of a client to a message that is not an event. */
export interface Reaction {
  readonly reply?: string;
  /** The server confirmed that it delivers from now on. */
  readonly opened?: true;
}

/** The protocol of one kind of server. */
export interface Dialect {
  readonly path: string;
  readonly transport: 'websocket' | 'event stream';
  readonly protocol?: string;
  /** The text of an event's frame before its number; in an event stream, of the data line. */
  readonly beforeNumber: string;
  /** The index at which the text of an event's frame differs from all other frames. */
  readonly tellsAt: number;
  /** Whether events arrive as soon as the server has accepted the connection. */
  readonly opensAtOnce: boolean;
  hear(text: string): Reaction;
}

const plain: Dialect = {
  path: '/events',
  transport: 'websocket',
  beforeNumber: BEFORE_NUMBER,
  // Distinguishes {"sp… from {"op….
  tellsAt: 2,
  opensAtOnce: true,
  hear: () => ({}),
};

const pregonV1: Dialect = {
  path: '/events',
  transport: 'websocket',
  protocol: 'pregon.v1',
  beforeNumber: BEFORE_NUMBER,
  tellsAt: 2,
  opensAtOnce: false,
  hear(text) {
    if (text.startsWith('{"op":"welcome"')) return { reply: '{"op":"subscribe","id":1}' };
    return text.startsWith('{"op":"subscribed"') ? { opened: true } : {};
  },
};

const sse: Dialect = {
  path: '/events',
  transport: 'event stream',
  beforeNumber: `data: ${BEFORE_NUMBER}`,
  tellsAt: 0,
  opensAtOnce: false,
  hear: (text) => (text.includes('event: subscribed') ? { opened: true } : {}),
};

/** Socket.IO protocol 5 on Engine.IO protocol 4, over WebSocket only. */
const socketIo: Dialect = {
  path: '/socket.io/?EIO=4&transport=websocket',
  transport: 'websocket',
  beforeNumber: `42["event",${BEFORE_NUMBER}`,
  // Distinguishes 42["… from 40{"….
  tellsAt: 2,
  opensAtOnce: false,
  hear(text) {
    if (text.startsWith('0{')) return { reply: '40' };
    if (text === '2') return { reply: '3' };
    return text.startsWith('40') ? { opened: true } : {};
  },
};

/** The same, for a route of a gateway. */
const pregonSocketIo: Dialect = {
  path: '/socket.io/?EIO=4&transport=websocket',
  transport: 'websocket',
  beforeNumber: `${PACKET_HEAD}${BEFORE_NUMBER}`,
  // Distinguishes 42/events,["e… from 42/events,["s….
  tellsAt: PACKET_HEAD.indexOf('event"'),
  opensAtOnce: false,
  hear(text) {
    if (text.startsWith('0{')) return { reply: '40/events,{"names":"event"}' };
    if (text === '2') return { reply: '3' };
    return text.startsWith('42/events,["subscribed"') ? { opened: true } : {};
  },
};

const dialects: ReadonlyMap<string, Dialect> = new Map([
  ['plain', plain],
  ['pregon.v1', pregonV1],
  ['sse', sse],
  ['ws', plain],
  ['socket.io', socketIo],
  ['pregon, Socket.IO', pregonSocketIo],
]);

/** @throws TypeError if there is no dialect with this name */
export function dialectOf(name: string): Dialect {
  const dialect = dialects.get(name);
  if (!dialect) throw new TypeError(`there is no dialect "${name}"`);
  return dialect;
}
