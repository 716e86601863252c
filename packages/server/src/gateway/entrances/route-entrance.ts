import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Door } from '../../transports/door.js';
import type { Entrance } from '../../transports/entrance.js';
import { type Claim, claimPath } from '../../transports/http/claim.js';
import { EventStream } from '../../transports/sse/event-stream.js';
import type { FrameLimits } from '../../transports/websocket/incoming.js';
import { WebSocketUpgrade } from '../../transports/websocket/upgrade.js';

/** The paths of the routes: WebSocket and event streams. What nobody else knows is refused here. */
export class RouteEntrance implements Entrance {
  readonly #door: Door;
  readonly #upgrade: WebSocketUpgrade;
  readonly #streams: EventStream;

  constructor(door: Door, limits: FrameLimits) {
    this.#door = door;
    this.#upgrade = new WebSocketUpgrade(door, limits);
    this.#streams = new EventStream(door);
  }

  get claims(): readonly Claim[] {
    return this.#door.options.routes.map(({ path }) => claimPath(path));
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
