import { CLOSE_CODES } from '@pregon/protocol';
import type { Socket } from 'socket.io';
import type { Verdict } from '../../core/admission/decision.js';
import type { ClientConnection } from '../../core/connections/client-connection.js';
import type { Allowed } from '../../core/ports/admission.js';
import type { ServedRoute } from '../../core/routes/served-route.js';
import type { SubscriptionLimits } from '../../core/topics/topic-limits.js';
import type { ClientRegistry } from '../client-registry.js';
import type { EngineWriter } from './engine/engine-writer.js';
import { type EventNames, EventPackets } from './event-packets.js';
import { type Handshake, parseHandshake, parseSubscribe, parseUnsubscribe } from './handshake.js';
import { type Acknowledge, HANDSHAKE_SUBSCRIPTION, SocketIoLink } from './socketio-link.js';
import { assertNoOverlap } from './topic-overlap.js';

/** The most messages of one client that may wait for the answer of a handler. */
const MOST_UNANSWERED = 1_000;

interface NamespaceClient {
  readonly connection: ClientConnection;
  readonly link: SocketIoLink;
  readonly writer: EngineWriter;
  /** The number of requests so far, which is the id of the latest one. */
  asked: number;
}

/** An event that a client emitted. */
interface EmittedEvent {
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

/** The namespace of a route: its Socket.IO clients become connections of the route. */
export class RouteNamespace {
  readonly #registry: ClientRegistry;
  readonly #route: ServedRoute;
  readonly #packets = new Map<EventNames, EventPackets>();
  readonly #laterPackets = new Map<EventNames, EventPackets>();
  /** By socket id. */
  readonly #present = new Map<string, NamespaceClient>();
  /** The listeners of all sockets: a closure for each would cost memory for every idle client. */
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

  /**
   * Decides whether a client of the engine may enter the namespace. Its token is in `auth.token`.
   *
   * @param found what was decided about the client when it connected
   */
  admit({ request, conn, handshake: { auth } }: Socket, found: Allowed | undefined): Verdict | Promise<Verdict> {
    const token: unknown = Reflect.get(auth, 'token');
    // The socket of the first request may be gone long ago: long polling uses many.
    const isGone = () => conn.readyState !== 'open';
    return this.#registry.decide(request, this.#route.entrance, { token, found, isGone });
  }

  /** @throws PregonError FRAME_INVALID | TOO_MANY_SUBSCRIPTIONS | TOPIC_INVALID if the handshake is not valid */
  handshake({ handshake: { auth, query } }: Socket): Handshake {
    return parseHandshake(auth, query, this.#registry.options);
  }

  enter(socket: Socket, writer: EngineWriter, { identity, rights }: Allowed): void {
    // The gateway may have started to close while a middleware ran. A client may enter a namespace only once.
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
    const connection = this.#registry.enter({ route: this.#route, identity, rights }, socket.request, link, socket.id);
    writer.enter(connection);
    this.#present.set(socket.id, { connection, link, writer, asked: HANDSHAKE_SUBSCRIPTION });
    // One listener for all events of the client: each further listener would cost memory for every idle client.
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
      // If the client expects an answer, the error becomes the answer.
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
      // Message ids are negative, so that they differ from all subscription ids.
      if (acknowledge) link.answer(-id, acknowledge);
      connection.receive(data, name, acknowledge && -id);
    }
  }

  /** A socket has left; also called for a socket whose listeners were removed. */
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

/** Runs `work`. The answer or the error goes to the client's callback, if there is one. */
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
