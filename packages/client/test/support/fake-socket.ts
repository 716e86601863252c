import {
  type ClientFrame,
  decodeClientFrame,
  encodeFrame,
  type GatewayFrame,
  type PregonEvent,
  type SubscribeFrame,
} from '@pregon/protocol';
import type { WebSocketConstructor, WebSocketEvent, WebSocketLike } from '../../src/connection/web-socket.js';

/** A socket whose far end is the test. Frames from the client are decoded as a gateway decodes them. */
export class FakeSocket implements WebSocketLike {
  readonly url: string;
  readonly protocol: string;
  readonly sent: ClientFrame[] = [];
  /** The code with which the client closed the socket. */
  closedWith: number | undefined;
  readonly #listeners: { type: string; listener: (event: WebSocketEvent) => void }[] = [];
  /** Called with each frame from the client. */
  onFrame: (frame: ClientFrame) => void = () => {};

  constructor(url: string, protocol: string) {
    this.url = url;
    this.protocol = protocol;
  }

  send(data: string): void {
    const frame = decodeClientFrame(data);
    this.sent.push(frame);
    this.onFrame(frame);
  }

  close(code?: number): void {
    this.closedWith ??= code ?? 1005;
  }

  addEventListener(type: string, listener: (event: WebSocketEvent) => void): void {
    this.#listeners.push({ type, listener });
  }

  emit(event: WebSocketEvent): void {
    for (const { type, listener } of this.#listeners) if (type === event.type) listener(event);
  }

  /** Delivers a frame from the gateway. */
  deliver(...frames: readonly (GatewayFrame | PregonEvent)[]): void {
    for (const frame of frames) this.deliverText('op' in frame ? encodeFrame(frame) : JSON.stringify(frame));
  }

  deliverText(data: unknown): void {
    this.emit({ type: 'message', data });
  }

  welcome(heartbeatMs = 25_000): void {
    this.deliver({ op: 'welcome', connection: 'c-1', heartbeatMs });
  }

  /** The handshake is complete. */
  open(): void {
    this.emit({ type: 'open' });
  }

  /** The tokens that the client has shown. */
  get tokens(): (string | null)[] {
    return this.sent.flatMap((frame) => (frame.op === 'auth' ? [frame.token] : []));
  }

  /** Answers the last token that the client has shown. */
  authorize(): void {
    const frame = this.sent.findLast(({ op }) => op === 'auth');
    this.deliver({ op: 'authorized', sub: 'ada', ...(frame && 'id' in frame ? { id: frame.id } : {}) });
  }

  /** Ends the connection, as the gateway or the network does. */
  lose(code = 1006, reason = ''): void {
    this.emit({ type: 'close', code, reason });
  }

  get subscribes(): SubscribeFrame[] {
    return this.sent.filter((frame) => frame.op === 'subscribe');
  }
}

/** A WebSocket constructor, and the sockets that it created. */
export function fakeWebSockets(onOpen: (socket: FakeSocket) => void = () => {}) {
  const sockets: FakeSocket[] = [];
  class Made extends FakeSocket {
    constructor(url: string, protocol: string) {
      super(url, protocol);
      sockets.push(this);
      onOpen(this);
    }
  }
  const WebSocket: WebSocketConstructor = Made;
  return {
    WebSocket,
    sockets,
    get last(): FakeSocket {
      const socket = sockets.at(-1);
      if (socket === undefined) throw new Error('no socket was created');
      return socket;
    },
  };
}
