import { type AckFrame, type ErrorFrame, isEvent } from '@pregon/protocol';
import { type Frame, FramesClient } from '../../gateway/frames-client.js';
import type { TestGateway } from '../../gateway/gateway.js';
import { PlainClient } from '../../gateway/plain-client.js';
import { SocketIoClient, type Transports, toEvent } from '../../gateway/socketio-client.js';
import { StreamClient } from '../../gateway/stream-client.js';
import { requestTicket } from '../tickets.js';
import type { Reason } from './model.js';

/** What a client asks for when it connects. */
export interface Asked {
  readonly path: string;
  readonly token: string | undefined;
  /** One topic pattern. @default all that is allowed */
  readonly topics?: string;
  readonly since?: string;
  readonly snapshot?: boolean;
}

/** A client that came in. */
export interface Visit {
  /** `subscribed`, or the code of the error. */
  readonly subscription: string;
  /** The topics of the events so far. */
  events(): readonly string[];
  /** The topics of the rows of the snapshot. */
  rows(): readonly string[];
  /** Sends a message, and returns the answer, or the code of the error. Absent if the transport has no answers. */
  send?(name: string): Promise<unknown>;
}

/** The status or the close code that refuses the client. */
export interface Refused {
  readonly refused: number;
}

export interface Way {
  visit(gateway: TestGateway, asked: Asked): Promise<Visit | Refused>;
  /** How a client of this transport is told the reason of a refusal. */
  readonly told: Readonly<Record<Reason, number>>;
  /** Whether it can send messages that are answered. */
  readonly sends?: true;
  /** Whether it can ask for a snapshot, and how it is told that it may not have one: by an error, or by a status. */
  readonly snapshots?: 'FORBIDDEN' | 403;
}

const STATUS: Way['told'] = { missing: 401, invalid: 401, expired: 401, forbidden: 403 };
const CLOSE_CODE: Way['told'] = { missing: 4505, invalid: 4505, expired: 4005, forbidden: 4504 };

/** Every way in which a client reaches a route. */
export const WAYS: Readonly<Record<string, Way>> = {
  'plain WebSocket': { visit: visitPlain, told: STATUS },
  'plain WebSocket with a ticket': { visit: withTicket(visitPlain), told: STATUS },
  'pregon.v1': { visit: visitFrames, told: CLOSE_CODE, sends: true, snapshots: 'FORBIDDEN' },
  'pregon.v1 with its token in the first frame': {
    visit: visitWithFirstFrame,
    told: CLOSE_CODE,
    sends: true,
    snapshots: 'FORBIDDEN',
  },
  'an event stream': { visit: visitStream, told: STATUS, snapshots: 403 },
  'an event stream with a ticket': { visit: withTicket(visitStream), told: STATUS, snapshots: 403 },
  'Socket.IO by WebSocket': { visit: visitSocketIo(['websocket']), told: STATUS, sends: true, snapshots: 'FORBIDDEN' },
  'Socket.IO by long polling': { visit: visitSocketIo(['polling']), told: STATUS, sends: true, snapshots: 'FORBIDDEN' },
};

/** The ways to entrances that are not routes. The outcome is `admitted`, or the status of the refusal. */
export const OTHER_WAYS: Readonly<
  Record<string, { visit(gateway: TestGateway, asked: Asked): Promise<unknown>; readonly told: Way['told'] }>
> = {
  'a component': {
    told: STATUS,
    async visit(gateway, asked) {
      const visit = await visitPlain(gateway, { ...asked, path: `/component${asked.path}` });
      return 'refused' in visit ? visit.refused : 'admitted';
    },
  },
  'a namespace by WebSocket': { told: STATUS, visit: enterNamespace(['websocket']) },
  'a namespace by long polling': { told: STATUS, visit: enterNamespace(['polling']) },
};

function enterNamespace(transports: Transports) {
  return ({ http }: TestGateway, { path, token }: Asked): Promise<unknown> => {
    const client = new SocketIoClient(http(path), {
      transports: [...transports],
      auth: { token },
      reconnection: false,
    });
    return Promise.race([client.connected().then(() => 'admitted'), refusalOf(client)]);
  };
}

function refusalOf({ socket }: SocketIoClient): Promise<number> {
  return new Promise((resolve) => {
    socket.on('connect_error', (error) => resolve(Number(Object(Reflect.get(error, 'data')).status ?? 0)));
  });
}

async function visitPlain({ ws }: TestGateway, asked: Asked): Promise<Visit | Refused> {
  const client = new PlainClient(ws(targetOf(asked)), { headers: headersOf(asked) });
  const status = await client.opened().then(
    () => undefined,
    (error: Error) => Number(/response: (\d+)/.exec(error.message)?.[1] ?? 0),
  );
  if (status !== undefined) return { refused: status };
  // A subscription that is refused closes the connection, before the answer to this ping.
  const answered = new Promise<undefined>((resolve) => client.socket.once('pong', () => resolve(undefined)));
  client.socket.ping();
  const closed = await Promise.race([answered, client.closed]);
  return {
    subscription: closed ? (closed.code === 4504 ? 'FORBIDDEN' : String(closed.code)) : 'subscribed',
    events: () => client.events.all.map(({ topic }) => topic),
    rows: () => [],
  };
}

async function visitFrames(
  { ws }: TestGateway,
  { path, token, topics, since, snapshot }: Asked,
): Promise<Visit | Refused> {
  const client = new FramesClient(ws(path), { headers: headersOf({ token }) });
  // A gateway that needs a token would wait for it. Any other first frame is refused at once.
  if (token === undefined) client.socket.once('open', () => client.send({ op: 'ping' }));
  const closed = await Promise.race([client.control('welcome').then(() => undefined), client.closed]);
  return closed ? { refused: closed.code } : subscribe(client, { topics, since, snapshot });
}

/** The token comes in the first frame. Where clients without a token may enter, a bad one is answered with an error. */
async function visitWithFirstFrame(gateway: TestGateway, asked: Asked): Promise<Visit | Refused> {
  const { path, token } = asked;
  if (token === undefined) return visitFrames(gateway, asked);
  const client = new FramesClient(gateway.ws(path));
  client.socket.once('open', () => client.send({ op: 'auth', id: 0, token }));
  const answer = await Promise.race([client.control('authorized'), client.control('error'), client.closed]);
  if (!('op' in answer)) return { refused: answer.code };
  return answer.op === 'error' ? { refused: CLOSE_OF_ERROR[answer.code] ?? 0 } : subscribe(client, asked);
}

/** The close code that stands for the same reason. */
const CLOSE_OF_ERROR: Readonly<Record<string, number>> = { UNAUTHORIZED: 4505, TOKEN_EXPIRED: 4005, FORBIDDEN: 4504 };

async function subscribe(client: FramesClient, { topics, since, snapshot }: Partial<Asked>): Promise<Visit> {
  let lastId = 1;
  const answer = await client.subscribe({
    id: 1,
    ...(topics === undefined ? {} : { topics: [topics] }),
    ...(since === undefined ? {} : { since }),
    ...(snapshot ? { snapshot } : {}),
  });
  return {
    subscription: answer.op === 'error' ? answer.code : answer.op,
    events: () => client.events(1).map(({ topic }) => topic),
    rows: () => client.controls('snapshot').flatMap(({ rows }) => rows.map(topicOf)),
    async send(name: string) {
      lastId += 1;
      const id = lastId;
      client.send({ op: 'send', id, name, data: null });
      const isAnswer = (frame: Frame): frame is AckFrame | ErrorFrame =>
        !isEvent(frame) && (frame.op === 'ack' || frame.op === 'error') && frame.id === id;
      const answer = await client.frames.first(isAnswer);
      return answer.op === 'ack' ? answer.data : answer.code;
    },
  };
}

async function visitStream({ http }: TestGateway, asked: Asked): Promise<Visit | Refused> {
  const client = new StreamClient(http(targetOf(asked)), headersOf(asked));
  const begun = ['subscribed', 'refused'].map((name) => client.block(name));
  const first = await Promise.race([...begun, client.failures.count(1)]);
  for (const one of begun) one.catch(() => {});
  if (!('name' in first)) return { refused: first[0] ?? 0 };
  return {
    subscription: first.name === 'refused' ? String(Object(first.data).code) : first.name,
    events: () => client.events.all.map(({ topic }) => topic),
    rows: () =>
      client.blocks.all.filter(({ name }) => name === 'snapshot').flatMap(({ data }) => Object(data).rows.map(topicOf)),
  };
}

function visitSocketIo(transports: Transports) {
  return async ({ http }: TestGateway, { path, token, topics, since, snapshot }: Asked): Promise<Visit | Refused> => {
    const auth = { token, topics, since, snapshot, names: 'event' };
    const client = new SocketIoClient(http(path), { transports: [...transports], auth, reconnection: false });
    const failed = refusalOf(client);
    const isBegun = () => client.received.all.some(({ name }) => name === 'subscribed' || name === 'refused');
    const begun = client.received.until(isBegun, 'an answer');
    const refused = await Promise.race([failed, begun.then(() => undefined)]);
    begun.catch(() => {});
    if (refused !== undefined) return { refused };
    const [[error] = []] = client.of('refused');
    return {
      subscription: error === undefined ? 'subscribed' : String(Object(error).code),
      events: () => client.of('event').map(([event]) => toEvent(event).topic),
      rows: () => client.of('snapshot').flatMap(([part]) => Object(part).rows.map(topicOf)),
      async send(name) {
        const answer: unknown = await client.ask(name, null);
        return Object(answer).error?.code ?? answer;
      },
    };
  };
}

/** A client that first exchanges its token for a ticket. Without a token, it has no ticket either. */
function withTicket(visit: Way['visit']): Way['visit'] {
  return async (gateway, asked) => {
    if (asked.token === undefined) return visit(gateway, asked);
    const response = await requestTicket(gateway.http(asked.path), { token: asked.token, origin: undefined });
    const answer: unknown = await response.json();
    if (response.status !== 200) return { refused: response.status };
    const path = `${asked.path}?ticket=${Object(answer).ticket}`;
    return visit(gateway, { ...asked, path, token: undefined });
  };
}

function targetOf({ path, topics, since, snapshot }: Asked): string {
  const query = new URLSearchParams();
  if (topics !== undefined) query.set('topics', topics);
  if (since !== undefined) query.set('since', since);
  if (snapshot) query.set('snapshot', 'true');
  return query.size === 0 ? path : `${path}${path.includes('?') ? '&' : '?'}${query}`;
}

function headersOf({ token }: Pick<Asked, 'token'>): Record<string, string> {
  return token === undefined ? {} : { Authorization: `Bearer ${token}` };
}

function topicOf(row: unknown): string {
  return String(Reflect.get(Object(row), 'topic'));
}
