import { CLOSE_CODES } from '@pregon/protocol';
import type { Socket } from 'socket.io';
import type { ClientConnection } from '../../core/connections/client-connection.js';
import type { Identity } from '../../core/ports/admission.js';
import type { ServedRoute } from '../../core/routes/served-route.js';
import type { SubscriptionLimits } from '../../core/topics/topic-limits.js';
import type { ClientRegistry } from '../client-registry.js';
import type { EngineWriter } from './engine/engine-writer.js';
import { type EventNames, EventPackets } from './event-packets.js';
import { type Handshake, parseHandshake, parseSubscribe, parseUnsubscribe } from './handshake.js';
import { type Acknowledge, HANDSHAKE_SUBSCRIPTION, SocketIoLink } from './socketio-link.js';
import { assertNoOverlap } from './topic-overlap.js';

/** How many messages of one client may wait for what handlers make of them. */
const MOST_UNANSWERED = 1_000;

interface NamespaceClient {
  readonly connection: ClientConnection;
  readonly link: SocketIoLink;
  readonly writer: EngineWriter;
  /** How often the client has asked for something: the id of what it asked for last. */
  asked: number;
}

/** What a client emitted. */
interface EmittedEvent {
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

/** Lets clients of one namespace in as connections of a route. */
export class RouteNamespace {
  readonly #registry: ClientRegistry;
  readonly #route: ServedRoute;
  readonly #packets = new Map<EventNames, EventPackets>();
  readonly #laterPackets = new Map<EventNames, EventPackets>();
  /** By the id of the socket. */
  readonly #present = new Map<string, NamespaceClient>();
  /** Called as listeners of a socket: one for all, since one for each is what every idle client pays for. */
  readonly #onAny: (this: Socket, name: string, ...args: unknown[]) => void;
  readonly #onDisconnecting: (this: Socket, reason: string) => void;

  constructor(registry: ClientRegistry, route: ServedRoute) {
    this.#registry = registry;
    this.#route = route;
    const ask = (id: string, name: string, args: readonly unknown[]) => this.#ask(id, name, args);
    this.#onAny = function (name, ...args) {
      ask(this.id, name, args);
    };
    const left = (id: string, reason: string) => this.left(id, reason);
    this.#onDisconnecting = function (reason) {
      left(this.id, reason);
    };
  }

  /** @throws PregonError FRAME_INVALID | TOPIC_INVALID where the handshake is none */
  handshake({ handshake: { auth, query } }: Socket): Handshake {
    return parseHandshake(auth, query, this.#registry.options);
  }

  enter(socket: Socket, writer: EngineWriter, identity: Identity | undefined): void {
    // The gateway may have begun to go away while a middleware thought about it; and a namespace is entered once.
    if (!this.#registry.isOpen || writer.isIn(this.#route.name)) return void socket.conn.close();
    const handshake = this.handshake(socket);
    const { names, offset } = handshake;
    const link = new SocketIoLink({
      socket,
      writer,
      clock: this.#registry.options.clock,
      packets: this.#packetsFor(this.#packets, names, true),
      laterPackets: this.#packetsFor(this.#laterPackets, names, false),
      incompleteAt: offset?.isIncomplete ? offset.position : undefined,
    });
    const connection = this.#registry.enter({ route: this.#route, identity }, socket.request, link, socket.id);
    writer.enter(connection);
    this.#present.set(socket.id, { connection, link, writer, asked: HANDSHAKE_SUBSCRIPTION });
    // With one listener for all that a client emits: each more would cost every idle client.
    socket.onAny(this.#onAny);
    socket.on('disconnecting', this.#onDisconnecting);
    subscribe(connection, handshake);
  }

  #ask(id: string, name: string, args: readonly unknown[]): void {
    const entered = this.#present.get(id);
    if (!entered) return;
    entered.asked += 1;
    const { connection, link, asked } = entered;
    try {
      this.#heard(entered, { id: asked, name, args });
    } catch (error) {
      // Whoever waits for an answer hears it as that.
      const last = args.at(-1);
      if (isAcknowledge(last)) link.answer(asked, last);
      connection.refuse(asked, error);
    }
  }

  #heard({ connection, link, writer }: NamespaceClient, { id, name, args }: EmittedEvent): void {
    if (!writer.admits()) return connection.close(CLOSE_CODES.STALLED);
    const last = args.at(-1);
    const acknowledge = isAcknowledge(last) ? last : undefined;
    const data = acknowledge && args.length === 1 ? undefined : args[0];
    if (name === 'subscribe') {
      answering(connection, link, id, acknowledge, () => subscribeLater(connection, id, data, this.#registry.options));
    } else if (name === 'unsubscribe') {
      const subscription = parseUnsubscribe(data);
      answering(connection, link, subscription, acknowledge, () => connection.unsubscribe(subscription));
    } else if (this.#route.takes(name)) {
      if (connection.unanswered >= MOST_UNANSWERED) {
        return connection.close(CLOSE_CODES.REQUEST_INVALID, `${MOST_UNANSWERED} messages wait for their answer`);
      }
      // Ids of messages are negative, so that none is that of a subscription.
      if (acknowledge) link.answer(-id, acknowledge);
      connection.receive(data, name, acknowledge && -id);
    }
  }

  /** A socket is gone: also one whose listeners were all taken away. */
  left(id: string, reason = ''): void {
    const entered = this.#present.get(id);
    if (!entered) return;
    this.#present.delete(id);
    entered.writer.leave(entered.connection);
    this.#registry.leave(entered.connection, 1000, reason);
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

function subscribe(connection: ClientConnection, { topics, since, snapshot, offset }: Handshake): void {
  if (topics?.length === 0) return;
  try {
    connection.subscribe(HANDSHAKE_SUBSCRIPTION, topics, offset?.position ?? since, {
      snapshot,
      again: offset?.isIncomplete === true,
    });
  } catch (error) {
    connection.refuse(HANDSHAKE_SUBSCRIPTION, error);
  }
}

function subscribeLater(connection: ClientConnection, id: number, data: unknown, limits: SubscriptionLimits): void {
  const { topics, since, snapshot } = parseSubscribe(data, limits);
  assertNoOverlap(topics, connection);
  connection.subscribe(id, topics, since, { snapshot });
}

/** Does what was asked for; the answer, or what is wrong with it, goes to the client's callback. */
function answering(
  connection: ClientConnection,
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
