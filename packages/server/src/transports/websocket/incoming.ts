import { idOfFrame, PregonError, parseClientFrame, peekId, type RequestId, readClientFrame } from '@pregon/protocol';
import type { ClientConnection } from '../../core/connections/client-connection.js';
import type { ClientRegistry } from '../client-registry.js';
import type { FrameLimits } from '../kernel.js';
import type { ClientListener } from './client-socket.js';
import type { FirstFrameLimit } from './first-frame-limit.js';
import { TokenFrames } from './token-frames.js';
import { FramesLink, WebSocketLink } from './websocket-link.js';

/** Handles the messages of clients and the end of their connections. */
export class Incoming implements ClientListener {
  readonly #registry: ClientRegistry;
  readonly #limits: FrameLimits;
  readonly #firstFrames: FirstFrameLimit;
  readonly #tokens: TokenFrames;

  constructor(registry: ClientRegistry, limits: FrameLimits, firstFrames: FirstFrameLimit) {
    this.#registry = registry;
    this.#limits = limits;
    this.#firstFrames = firstFrames;
    this.#tokens = new TokenFrames(registry);
  }

  message(connection: ClientConnection, data: Buffer, isBinary: boolean): void {
    this.pong(connection);
    const { link } = connection;
    if (link instanceof FramesLink) {
      this.#firstFrames.delete(link);
      this.#receiveFrame(connection, link, isBinary ? undefined : data.toString());
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

  /** @param text undefined if the frame was binary */
  #receiveFrame(connection: ClientConnection, link: FramesLink, text: string | undefined): void {
    const { maxFrameBytes, shape } = this.#limits;
    const isFirst = link.spoke();
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
          return connection.subscribe(frame.id, frame.topics, frame.since, {
            snapshot: frame.snapshot === true,
            rights: frame.rights,
          });
        case 'unsubscribe':
          return connection.unsubscribe(frame.id);
        case 'send':
          return connection.receive(frame.data, frame.name, frame.id);
        case 'ping':
          return connection.pong();
        case 'auth':
          return this.#tokens.receive(connection, frame, isFirst);
      }
    } catch (error) {
      connection.refuseFrame(id, error);
    }
  }
}
