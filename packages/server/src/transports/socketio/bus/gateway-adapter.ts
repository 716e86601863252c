import type { Namespace } from 'socket.io';
import type {
  BroadcastOptions,
  ClusterMessage,
  ClusterResponse,
  Room,
  Session,
  Adapter as SocketIoAdapter,
} from 'socket.io-adapter';
import { replacePrivateId } from '../../../private-fields/socket-io.js';
import { guardLastArgument } from '../engine/guard-last-argument.js';
import type { SocketIoLibrary } from '../library.js';
import type { BusMember, SocketIoBus } from './socketio-bus.js';

/** A packet of Socket.IO before it is encoded. */
interface Packet {
  readonly type: number;
  readonly id?: number;
  readonly data: readonly unknown[];
}

/** Decides which disconnected clients can recover their session. */
export interface Sessions {
  /** A socket has left after it entered the namespace. If its connection broke, `keep` was called before. */
  left(id: string): void;
  /** A socket has left before it entered the namespace: a middleware refused it, or its connection ended. */
  refused(id: string): void;
  /** Keeps the session of a client whose connection broke. */
  keep(session: Pick<Session, 'sid' | 'rooms' | 'data'>): void;
  /** Resolves with undefined if the session cannot be restored. */
  restore(namespace: Namespace, pid: string, offset: string): Promise<Session | undefined>;
}

type AdapterLibrary = Pick<SocketIoLibrary, 'Adapter' | 'ClusterAdapterWithHeartbeat' | 'MessageType'>;

/** @param sessions undefined for a namespace that is not a route: it has no sessions to recover */
export type GatewayAdapterClass = new (
  namespace: Namespace,
  bus: SocketIoBus,
  sessions: Sessions | undefined,
) => SocketIoAdapter;

/**
 * The adapter of a namespace: its rooms, across all gateways of the log. What the application emits is sent at once,
 * here and on other gateways, at most once. Stock clients resume by Pregon's positions, and nothing else may look like
 * one to them.
 *
 * @returns the adapter class. It is created here because its base class belongs to Socket.IO, which is loaded later
 */
export function gatewayAdapter({
  Adapter,
  ClusterAdapterWithHeartbeat,
  MessageType,
}: AdapterLibrary): GatewayAdapterClass {
  const responses: ReadonlySet<ClusterMessage['type'] | ClusterResponse['type']> = new Set([
    MessageType.FETCH_SOCKETS_RESPONSE,
    MessageType.SERVER_SIDE_EMIT_RESPONSE,
    MessageType.BROADCAST_CLIENT_COUNT,
    MessageType.BROADCAST_ACK,
  ]);
  const isResponse = (message: ClusterMessage | ClusterResponse): message is ClusterResponse =>
    responses.has(message.type);

  return class GatewayAdapter extends ClusterAdapterWithHeartbeat implements BusMember {
    readonly #namespace: Namespace;
    readonly #bus: SocketIoBus;
    readonly #sessions: Sessions | undefined;

    constructor(namespace: Namespace, bus: SocketIoBus, sessions: Sessions | undefined) {
      super(namespace, {});
      this.#namespace = namespace;
      this.#bus = bus;
      this.#sessions = sessions;
      bus.join(namespace.name, this);
    }

    override close(): void {
      super.close();
      this.#bus.leave(this.#namespace.name);
    }

    hear(message: ClusterMessage | ClusterResponse): void {
      if (isResponse(message)) return this.onResponse(message);
      if (message.type !== MessageType.BROADCAST || message.data.requestId !== undefined)
        return this.onMessage(message);
      // A message proves that its sender is alive, so it counts as a heartbeat. The broadcast itself is handled here,
      // because the base class would add an offset of its own.
      this.onMessage({ uid: message.uid, nsp: message.nsp, type: MessageType.HEARTBEAT });
      const { packet, opts } = message.data;
      const { rooms, except, flags } = opts;
      if (isPacket(packet)) this.#deliver(packet, { rooms: new Set(rooms), except: new Set(except), flags });
    }

    /**
     * Writes at once, so that the packet keeps its order among other packets.
     * @throws if the packet cannot be represented as JSON
     */
    override broadcast(packet: Packet, options: BroadcastOptions): Promise<void> {
      if (!this.#staysHere(options)) {
        this.publish({ type: MessageType.BROADCAST, data: { packet, opts: listed(options) } });
      }
      this.#deliver(packet, options);
      return Promise.resolve();
    }

    /** Joins at once, as without other gateways: a socket is in the room for a packet that the next statement emits. */
    override async addSockets(options: BroadcastOptions, rooms: Room[]): Promise<void> {
      if (!options.flags?.local) {
        this.publish({ type: MessageType.SOCKETS_JOIN, data: { opts: listed(options), rooms } });
      }
      Adapter.prototype.addSockets.call(this, options, rooms);
    }

    override async delSockets(options: BroadcastOptions, rooms: Room[]): Promise<void> {
      if (!options.flags?.local) {
        this.publish({ type: MessageType.SOCKETS_LEAVE, data: { opts: listed(options), rooms } });
      }
      Adapter.prototype.delSockets.call(this, options, rooms);
    }

    override async disconnectSockets(options: BroadcastOptions, close: boolean): Promise<void> {
      if (!options.flags?.local) {
        this.publish({ type: MessageType.DISCONNECT_SOCKETS, data: { opts: listed(options), close } });
      }
      Adapter.prototype.disconnectSockets.call(this, options, close);
    }

    override addAll(id: string, rooms: Set<Room>): void {
      if (!this.#sessions) this.#withholdPid(id);
      this.#unshareRooms(id);
      for (const room of rooms) this.#unshareRooms(room);
      super.addAll(id, rooms);
      this.#shareRooms(id);
    }

    override del(id: string, room: Room): void {
      this.#unshareRooms(id);
      this.#unshareRooms(room);
      super.del(id, room);
    }

    override delAll(id: string): void {
      this.#unshareRooms(id);
      super.delAll(id);
      // When Socket.IO calls this, the socket is still in the namespace if it had entered it.
      if (this.#namespace.sockets.has(id)) this.#sessions?.left(id);
      else this.#sessions?.refused(id);
    }

    override persistSession({ sid, rooms, data }: Pick<Session, 'sid' | 'rooms' | 'data'>): void {
      this.#sessions?.keep({ sid, rooms, data });
    }

    /** @throws Error if the session cannot be restored, so that Socket.IO begins a new one */
    override async restoreSession(pid: string, offset: string): Promise<Session> {
      const session = await this.#sessions?.restore(this.#namespace, pid, offset);
      if (!session) throw new Error('this session cannot be restored');
      return session;
    }

    protected override async doPublish(message: ClusterMessage): Promise<string> {
      this.#bus.send(message);
      return '';
    }

    protected override async doPublishResponse(_requester: string, response: ClusterResponse): Promise<void> {
      this.#bus.send(response);
    }

    #deliver(packet: Packet, options: BroadcastOptions): void {
      // If the packet has an id, the client adds the last argument itself: the acknowledgement function.
      const data = this.#sessions && packet.id === undefined ? guardLastArgument(packet.data) : packet.data;
      Adapter.prototype.broadcast.call(this, { ...packet, data }, options);
    }

    /**
     * Removes the private session id. If recovery is on for any namespace, Socket.IO gives one to every socket, and
     * stock clients take it as a promise of recovery. A socket joins its own room right before the answer to its
     * CONNECT is written, whatever middlewares there are.
     */
    #withholdPid(id: string): void {
      const socket = this.#namespace.sockets.get(id);
      if (socket) replacePrivateId(socket, undefined);
    }

    /**
     * Every socket is in a room of its own. If it is in no other room, and no other socket is in that room, both tables
     * share one set: this halves the cost of an idle client.
     */
    #shareRooms(id: string): void {
      const own = this.rooms.get(id);
      const joined = this.sids.get(id);
      if (own?.size === 1 && joined?.size === 1 && own.has(id) && joined.has(id)) this.sids.set(id, own);
    }

    #unshareRooms(id: string): void {
      const own = this.rooms.get(id);
      if (own && own === this.sids.get(id)) this.sids.set(id, new Set(own));
    }

    /**
     * Whether a broadcast concerns only one socket of this gateway: other gateways do not have the room that belongs to
     * it.
     */
    #staysHere({ rooms, flags }: BroadcastOptions): boolean {
      if (flags?.local) return true;
      const [room] = rooms;
      return rooms.size === 1 && room !== undefined && this.#namespace.sockets.has(room);
    }
  };
}

/** The broadcast options in the form that is sent to other gateways. */
function listed({ rooms, except = new Set(), flags = {} }: BroadcastOptions) {
  return { rooms: [...rooms], except: [...except], flags };
}

function isPacket(packet: unknown): packet is Packet {
  return Array.isArray(Reflect.get(Object(packet), 'data'));
}
