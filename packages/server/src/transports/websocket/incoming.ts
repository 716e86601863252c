import { idOfFrame, PregonError, parseClientFrame, peekId, type RequestId, readClientFrame } from '@pregon/protocol';
import type { ClientConnection } from '../../core/connections/client-connection.js';
import type { ClientRegistry } from '../client-registry.js';
import type { FrameLimits } from '../kernel.js';
import type { ClientListener } from './client-socket.js';
import type { FirstFrameLimit } from './first-frame-limit.js';
import { FramesLink, WebSocketLink } from './websocket-link.js';

/** Handles the messages of clients and the end of their connections. */
export class Incoming implements ClientListener {
  readonly #registry: ClientRegistry;
  readonly #limits: FrameLimits;
  readonly #firstFrames: FirstFrameLimit;

  constructor(registry: ClientRegistry, limits: FrameLimits, firstFrames: FirstFrameLimit) {
    this.#registry = registry;
    this.#limits = limits;
    this.#firstFrames = firstFrames;
  }

  message(connection: ClientConnection, data: Buffer, isBinary: boolean): void {
    this.pong(connection);
    const { link } = connection;
    if (link instanceof FramesLink) {
      this.#firstFrames.delete(link);
      receiveFrame(connection, link, isBinary ? undefined : data.toString(), this.#limits);
    } else connection.receive(isBinary ? data : data.toString(), undefined, undefined);
    connection.regulate();
  }

  ping(connection: ClientConnection): void {
    this.pong(connection);
    // The pong that answered the ping also waits if the client does not read.
    connection.regulate();
  }

  pong(connection: ClientConnection): void {
    connection.heard(this.#registry.options.clock.now());
  }

  failed(connection: ClientConnection, error: Error): void {
    connection.failed(error);
  }

  closed(connection: ClientConnection, code: number, reason: string): void {
    const { link } = connection;
    if (link instanceof WebSocketLink) {
      this.#firstFrames.delete(link);
      link.left();
    }
    this.#registry.leave(connection, code, reason);
  }
}

/** @param text undefined if the frame was binary */
function receiveFrame(
  connection: ClientConnection,
  link: FramesLink,
  text: string | undefined,
  { maxFrameBytes, shape }: FrameLimits,
): void {
  let id: RequestId | undefined;
  try {
    if (text === undefined) throw new PregonError('FRAME_INVALID', 'pregon.v1 has text frames only');
    id = peekId(text);
    const parsed = parseClientFrame(text, maxFrameBytes, shape);
    id = idOfFrame(parsed);
    const frame = readClientFrame(parsed);
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
    connection.refuseFrame(id, error);
  }
}
