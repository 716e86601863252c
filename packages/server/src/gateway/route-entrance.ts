import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Door } from '../transports/door.js';
import type { Entrance } from '../transports/entrance.js';
import { EventStream } from '../transports/sse/event-stream.js';
import { WebSocketUpgrade } from '../transports/websocket/upgrade.js';

/** The paths of the routes: WebSocket and event streams. What nobody else knows is refused here. */
export class RouteEntrance implements Entrance {
  readonly #door: Door;
  readonly #upgrade: WebSocketUpgrade;
  readonly #streams: EventStream;

  constructor(door: Door, maxFrameBytes: number) {
    this.#door = door;
    this.#upgrade = new WebSocketUpgrade(door, maxFrameBytes);
    this.#streams = new EventStream(door);
  }

  knows(target: string | undefined): boolean {
    return this.#door.knows(target);
  }

  arrives(): boolean {
    return true;
  }

  request(request: IncomingMessage, response: ServerResponse): void {
    this.#streams.handle(request, response);
  }

  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    this.#upgrade.handle(request, stream, head);
  }

  destroy(): void {
    this.#upgrade.destroy();
    this.#streams.destroy();
  }
}
