import { PregonError, patternsOverlap } from '@pregon/protocol';
import type { Socket } from 'socket.io';
import type { Connection } from '../../core/connection.js';
import type { Route } from '../../core/route.js';
import type { Door } from '../door.js';
import type { EngineOutlet } from './engine-outlet.js';
import { type EventNames, EventPackets } from './event-packets.js';
import { type Handshake, parseHandshake, parseSubscribe } from './handshake.js';
import { type Acknowledge, HANDSHAKE_SUBSCRIPTION, SocketIoLink } from './socketio-link.js';

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

  /** With one listener for all that a client emits: each more would cost every idle client. */
  #listen(socket: Socket, connection: Connection, link: SocketIoLink, outlet: EngineOutlet): void {
    outlet.enter(connection);
    let asked = HANDSHAKE_SUBSCRIPTION;
    socket.onAny((name: string, ...args: unknown[]) => {
      const last = args.at(-1);
      const acknowledge = isAcknowledge(last) ? last : undefined;
      const data = acknowledge && args.length === 1 ? undefined : args[0];
      asked += 1;
      if (name === 'subscribe')
        answering(connection, link, asked, acknowledge, () => subscribeLater(connection, asked, data));
      else if (name === 'unsubscribe') unsubscribe(connection, link, data, acknowledge);
      else if (this.#route.takes(name)) {
        // Ids of messages are negative, so that none is that of a subscription.
        if (acknowledge) link.answer(-asked, acknowledge);
        connection.receive(data, name, acknowledge && -asked);
      }
    });
    socket.on('disconnect', (reason) => {
      outlet.leave(connection);
      this.#door.leave(connection, 1000, reason);
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

function subscribeLater(connection: Connection, id: number, data: unknown): void {
  const { topics, since, snapshot } = parseSubscribe(data);
  assertApart(topics, connection);
  connection.subscribe(id, topics, since, { snapshot });
}

function unsubscribe(connection: Connection, link: SocketIoLink, data: unknown, acknowledge?: Acknowledge): void {
  const id = Number(typeof data === 'object' ? Reflect.get(Object(data), 'id') : data);
  answering(connection, link, id, acknowledge, () => connection.unsubscribe(id));
}

/** Does what was asked for; the answer, or what is wrong with it, goes to the client's callback. */
function answering(
  connection: Connection,
  link: SocketIoLink,
  id: number,
  acknowledge: Acknowledge | undefined,
  work: () => void,
): void {
  if (acknowledge) link.answer(id, acknowledge);
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
