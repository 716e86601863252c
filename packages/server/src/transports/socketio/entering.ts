import { PregonError, patternsOverlap } from '@pregon/protocol';
import type { Socket } from 'socket.io';
import type { Connection } from '../../core/connection.js';
import type { Route } from '../../core/route.js';
import type { Door } from '../door.js';
import type { EngineOutlet } from './engine-outlet.js';
import { type EventNames, EventPackets } from './event-packets.js';
import { type Handshake, parseHandshake, parseSubscribe } from './handshake.js';
import { type Acknowledge, HANDSHAKE_SUBSCRIPTION, SocketIoLink } from './socketio-link.js';

/** Names of the client's own events that are answered here. */
const OURS = new Set(['subscribe', 'unsubscribe']);

/** Lets clients of one namespace in as connections of a route. */
export class Entering {
  readonly #door: Door;
  readonly #route: Route;
  readonly #packets = new Map<EventNames, EventPackets>();
  readonly #laterPackets = new Map<EventNames, EventPackets>();

  constructor(door: Door, route: Route) {
    this.#door = door;
    this.#route = route;
  }

  /** @throws PregonError FRAME_INVALID | TOPIC_INVALID where the handshake is none */
  handshake({ handshake: { auth, query } }: Socket): Handshake {
    return parseHandshake(auth, query);
  }

  enter(socket: Socket, outlet: EngineOutlet): void {
    const handshake = this.handshake(socket);
    const { names, offset } = handshake;
    const link = new SocketIoLink({
      socket,
      outlet,
      clock: this.#door.options.clock,
      packets: this.#packetsFor(this.#packets, names, true),
      laterPackets: this.#packetsFor(this.#laterPackets, names, false),
      half: offset?.half ? offset.position : undefined,
    });
    const connection = this.#door.enter(this.#route, socket.request, link);
    this.#listen(socket, connection, link, outlet);
    subscribe(connection, handshake);
  }

  #listen(socket: Socket, connection: Connection, link: SocketIoLink, outlet: EngineOutlet): void {
    const drained = () => connection.drained();
    outlet.onDrained(drained);
    let asked = HANDSHAKE_SUBSCRIPTION;
    socket.on('subscribe', (data: unknown, acknowledge?: unknown) => {
      asked += 1;
      answering(connection, link, asked, acknowledge, () => {
        const { topics, since, snapshot } = parseSubscribe(data);
        assertApart(topics, connection);
        connection.subscribe(asked, topics, since, { snapshot });
      });
    });
    socket.on('unsubscribe', (data: unknown, acknowledge?: unknown) => {
      const id = Number(typeof data === 'object' ? Reflect.get(Object(data), 'id') : data);
      answering(connection, link, id, acknowledge, () => connection.unsubscribe(id));
    });
    this.#listenToMessages(socket, connection, link);
    socket.on('disconnect', (reason) => {
      outlet.offDrained(drained);
      this.#door.leave(connection, 1000, reason);
    });
  }

  /** What a client emits goes to the route's handlers too, where it has some for it. */
  #listenToMessages(socket: Socket, connection: Connection, link: SocketIoLink): void {
    let sent = 0;
    socket.onAny((name: string, ...args: unknown[]) => {
      if (OURS.has(name) || !this.#route.takes(name)) return;
      const last = args.at(-1);
      const acknowledge = isAcknowledge(last) ? last : undefined;
      // Ids of messages are negative, so that none is that of a subscription.
      const id = acknowledge ? --sent : undefined;
      if (id !== undefined) link.answer(id, acknowledge);
      connection.receive(args[0] === last && acknowledge ? undefined : args[0], name, id);
    });
  }

  #packetsFor(kept: Map<EventNames, EventPackets>, names: EventNames, offsets: boolean): EventPackets {
    let packets = kept.get(names);
    if (!packets) {
      packets = new EventPackets({ namespace: this.#route.path, names, offsets });
      kept.set(names, packets);
    }
    return packets;
  }
}

function subscribe(connection: Connection, { topics, since, snapshot, offset }: Handshake): void {
  if (topics?.length === 0) return;
  try {
    connection.subscribe(HANDSHAKE_SUBSCRIPTION, topics, offset?.position ?? since, {
      snapshot,
      again: offset?.half === true,
    });
  } catch (error) {
    connection.refuse(HANDSHAKE_SUBSCRIPTION, error);
  }
}

/** Does what was asked for; the answer, or what is wrong with it, goes to the client's callback. */
function answering(
  connection: Connection,
  link: SocketIoLink,
  id: number,
  acknowledge: unknown,
  work: () => void,
): void {
  link.answer(id, isAcknowledge(acknowledge) ? acknowledge : undefined);
  try {
    work();
  } catch (error) {
    connection.refuse(id, error);
  }
}

function isAcknowledge(value: unknown): value is Acknowledge {
  return typeof value === 'function';
}

/** An event that two subscriptions of a connection have would reach the client's handler twice. @throws PregonError TOPICS_OVERLAP */
function assertApart(topics: readonly string[], connection: Connection): void {
  for (const [id, others] of connection.topics()) {
    const shared = others.find((other) => topics.some((topic) => patternsOverlap(topic, other)));
    if (shared === undefined) continue;
    const what = id === HANDSHAKE_SUBSCRIPTION ? 'the handshake asked for' : `subscription ${id} has`;
    throw new PregonError('TOPICS_OVERLAP', `${what} ${shared} already; its events would come twice`);
  }
}
