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

/** What becomes of those who go and come back. */
export interface Sessions {
  /** A socket that had entered is gone, for whatever reason; `keep` was called before if its connection broke. */
  left(id: string): void;
  /** A socket is gone that a middleware refused, or whose connection ended before it had entered. */
  refused(id: string): void;
  /** Somebody went whose connection broke. */
  keep(session: Pick<Session, 'sid' | 'rooms' | 'data'>): void;
  /** Undefined where the session cannot be restored. */
  restore(namespace: Namespace, pid: string, offset: string): Promise<Session | undefined>;
}

type AdapterLibrary = Pick<SocketIoLibrary, 'Adapter' | 'ClusterAdapterWithHeartbeat' | 'MessageType'>;

/** @param sessions absent where there is nothing to come back to: a namespace that is no route */
export type GatewayAdapterClass = new (
  namespace: Namespace,
  bus: SocketIoBus,
  sessions: Sessions | undefined,
) => SocketIoAdapter;

/**
 * The rooms of a namespace, across all gateways of the log. What is emitted goes out at once, here and there, at most once; what makes
 * stock clients resume are our positions, and nothing else is ever taken for one.
 *
 * @returns the class of adapters, which begins with a part of Socket.IO that is not loaded before
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
      // Who speaks is alive, and the rest is ours: the base class would add an offset of its own.
      this.onMessage({ uid: message.uid, nsp: message.nsp, type: MessageType.HEARTBEAT });
      const { packet, opts } = message.data;
      const { rooms, except, flags } = opts;
      if (isPacket(packet)) this.#deliver(packet, { rooms: new Set(rooms), except: new Set(except), flags });
    }

    /** At once, so that it keeps its place among what is emitted otherwise. @throws what cannot be written as JSON, to whoever emits it */
    override broadcast(packet: Packet, options: BroadcastOptions): Promise<void> {
      if (!this.#staysHere(options)) {
        this.publish({ type: MessageType.BROADCAST, data: { packet, opts: listed(options) } });
      }
      this.#deliver(packet, options);
      return Promise.resolve();
    }

    /** At once, as without other gateways: who joins is in the room for what is emitted in the next line. */
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
      // Socket.IO calls this before it takes the socket out of the namespace, where only those are that have entered.
      if (this.#namespace.sockets.has(id)) this.#sessions?.left(id);
      else this.#sessions?.refused(id);
    }

    override persistSession({ sid, rooms, data }: Pick<Session, 'sid' | 'rooms' | 'data'>): void {
      this.#sessions?.keep({ sid, rooms, data });
    }

    /** @throws Error where it cannot be restored, which begins a new one */
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
      // With an id, the client adds its own last argument, the function that acknowledges.
      const data = this.#sessions && packet.id === undefined ? guardLastArgument(packet.data) : packet.data;
      Adapter.prototype.broadcast.call(this, { ...packet, data }, options);
    }

    /**
     * Socket.IO gives every socket a private session id as soon as recovery is on for any namespace, and stock clients take it for a promise.
     * A socket joins its own room right before the answer to its CONNECT is written, whatever middlewares there are.
     */
    #withholdPid(id: string): void {
      const socket = this.#namespace.sockets.get(id);
      if (socket) replacePrivateId(socket, undefined);
    }

    /** Everybody is in a room of joined own. Where that is his only one, and he alone is in it, one set says both: half as much for an idle client. */
    #shareRooms(id: string): void {
      const own = this.rooms.get(id);
      const joined = this.sids.get(id);
      if (own?.size === 1 && joined?.size === 1 && own.has(id) && joined.has(id)) this.sids.set(id, own);
    }

    #unshareRooms(id: string): void {
      const own = this.rooms.get(id);
      if (own && own === this.sids.get(id)) this.sids.set(id, new Set(own));
    }

    /** For one who is here: each has a room of his own, of which no other gateway knows. */
    #staysHere({ rooms, flags }: BroadcastOptions): boolean {
      if (flags?.local) return true;
      const [room] = rooms;
      return rooms.size === 1 && room !== undefined && this.#namespace.sockets.has(room);
    }
  };
}

/** Options as they go to other gateways. */
function listed({ rooms, except = new Set(), flags = {} }: BroadcastOptions) {
  return { rooms: [...rooms], except: [...except], flags };
}

function isPacket(packet: unknown): packet is Packet {
  return Array.isArray(Reflect.get(Object(packet), 'data'));
}
