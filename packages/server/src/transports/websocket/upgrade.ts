import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { decodeClientFrame, PregonError, peekId, SUBPROTOCOL } from '@pregon/protocol';
import { type PerMessageDeflateOptions, type RawData, type WebSocket, WebSocketServer } from 'ws';
import type { Connection } from '../../core/connection.js';
import type { Compression } from '../../core/route.js';
import { CLOSE_TIMEOUT_MS } from '../closing.js';
import type { Admitted, Door } from '../door.js';
import { assertQuery, type Query } from '../query.js';
import { refuseUpgrade, wrongHandshake } from '../refusal.js';
import { shareTexts } from '../shared-texts.js';
import { SocketOutlet } from '../socket-outlet.js';
import { CompressedEvents } from './compressed-events.js';
import { WINDOW_BITS } from './deflate.js';
import { FramesLink } from './frames-link.js';
import { Inflation } from './inflation.js';
import { offersCompression } from './offer.js';
import { PlainLink } from './plain-link.js';
import { type EventFormats, PLAIN_FORMATS } from './wire.js';

/** The id under which the one subscription of a plain connection runs. */
const THE_SUBSCRIPTION = 0;

/** Answers upgrade requests: `ws` does the handshake and reads what clients send; what they are sent is written by our links. */
export class WebSocketUpgrade {
  readonly #door: Door;
  readonly #maxFrameBytes: number;
  readonly #server: WebSocketServer;
  /** Agrees on permessage-deflate with whoever comes: those who offered it, on a route that has it. */
  readonly #compressing: WebSocketServer;
  /** By threshold: routes that have the same share what is compressed. */
  readonly #compressed = new Map<number, CompressedEvents>();

  constructor(door: Door, maxFrameBytes: number) {
    this.#door = door;
    this.#maxFrameBytes = maxFrameBytes;
    this.#server = createServer(maxFrameBytes, false);
    this.#compressing = createServer(maxFrameBytes, {
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      serverMaxWindowBits: WINDOW_BITS,
    });
  }

  /** Takes the arguments of an `upgrade` event; a stream that is no socket of the operating system is refused. */
  handle(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    if (stream instanceof Socket) this.#handle(request, stream, head);
    else stream.destroy();
  }

  /** Ends all that is left without a word. */
  destroy(): void {
    for (const client of [...this.#server.clients, ...this.#compressing.clients]) client.terminate();
  }

  #handle(request: IncomingMessage, socket: Socket, head: Buffer): void {
    // Until the connection has a reader of its own, a socket that breaks concerns nobody.
    const ignore = () => socket.destroy();
    socket.on('error', ignore);
    const admission = this.#door.admit(request);
    if (!('route' in admission)) return refuseUpgrade(socket, admission);
    const wrong = wrongHandshake(request);
    if (wrong) return refuseUpgrade(socket, wrong);
    shareTexts(request);
    const compressed = admission.route.compression && offersCompression(request.headers['sec-websocket-extensions']);
    const server = compressed ? this.#compressing : this.#server;
    server.handleUpgrade(request, socket, head, (client) => {
      socket.off('error', ignore);
      if (compressed) Inflation.install(client, this.#maxFrameBytes);
      this.#enter(client, socket, request, admission);
    });
  }

  /** Not within `#handle`: what is kept from here would keep all that is known there, the whole request, as long as the connection lives. */
  #enter(client: WebSocket, socket: Socket, request: IncomingMessage, { route, query }: Admitted): void {
    // A close frame may also be sent by ws: in answer to the client's, or to a frame that is none.
    const isOpen = () => client.readyState === client.OPEN;
    const outlet = new SocketOutlet(socket, this.#door.options.maxBufferedBytes, isOpen);
    const plain = client.protocol !== SUBPROTOCOL;
    const { compression } = route;
    const formats = compression && client.extensions !== '' ? this.#formatsFor(compression) : PLAIN_FORMATS;
    const link = plain ? new PlainLink(client, outlet, formats) : new FramesLink(client, outlet, formats);
    const connection = this.#door.enter(route, request, link);
    this.#listen(client, socket, connection, link);
    if (plain) subscribe(connection, query);
  }

  #formatsFor({ thresholdBytes }: Compression): EventFormats {
    const formats = this.#compressed.get(thresholdBytes) ?? new CompressedEvents(thresholdBytes);
    this.#compressed.set(thresholdBytes, formats);
    return formats;
  }

  #listen(client: WebSocket, socket: Socket, connection: Connection, link: PlainLink | FramesLink): void {
    const { clock } = this.#door.options;
    client.on('message', (data, isBinary) => {
      connection.heard(clock.now());
      if (link instanceof PlainLink) receivePlain(connection, data, isBinary);
      else receiveFrame(connection, link, data, isBinary, this.#maxFrameBytes);
      connection.regulate();
    });
    client.on('pong', () => connection.heard(clock.now()));
    client.on('ping', () => {
      connection.heard(clock.now());
      // It was answered by a pong, which waits too where the client does not read.
      connection.regulate();
    });
    client.on('error', (error) => connection.failed(error));
    client.on('close', (code, reason) => this.#door.leave(connection, code, reason.toString()));
    socket.on('drain', () => connection.drained());
  }
}

function createServer(maxFrameBytes: number, perMessageDeflate: PerMessageDeflateOptions | false): WebSocketServer {
  const options = {
    noServer: true,
    clientTracking: true,
    perMessageDeflate,
    maxPayload: maxFrameBytes,
    closeTimeout: CLOSE_TIMEOUT_MS,
    handleProtocols: (offered: Set<string>) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  } as const;
  return new WebSocketServer(options);
}

function subscribe(connection: Connection, query: Query): void {
  try {
    assertQuery(query);
    connection.subscribe(THE_SUBSCRIPTION, query.topics, query.since);
  } catch (error) {
    connection.refuse(THE_SUBSCRIPTION, error);
  }
}

function receivePlain(connection: Connection, data: RawData, isBinary: boolean): void {
  const bytes = toBuffer(data);
  connection.receive(isBinary ? bytes : bytes.toString(), undefined, undefined);
}

function receiveFrame(
  connection: Connection,
  link: FramesLink,
  data: RawData,
  isBinary: boolean,
  maxFrameBytes: number,
): void {
  const text = toBuffer(data).toString();
  try {
    if (isBinary) throw new PregonError('FRAME_INVALID', 'pregon.v1 has text frames only');
    const frame = decodeClientFrame(text, maxFrameBytes);
    switch (frame.op) {
      case 'subscribe':
        if (frame.batch) link.takeBatches();
        return connection.subscribe(frame.id, frame.topics, frame.since, { snapshot: frame.snapshot === true });
      case 'unsubscribe':
        return connection.unsubscribe(frame.id);
      case 'send':
        return connection.receive(frame.data, frame.name, frame.id);
      case 'ping':
        return connection.pong();
    }
  } catch (error) {
    connection.refuse(isBinary ? undefined : peekId(text), error);
  }
}

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
