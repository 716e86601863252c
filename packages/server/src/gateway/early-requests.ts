import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { parseTarget } from '../transports/query.js';
import { refuseUpgrade } from '../transports/refusal.js';

/**
 * Keeps requests for some paths of a server waiting, and leaves it all others. Who comes too early would be answered 404 by the
 * application, after which an EventSource never asks again.
 */
export class EarlyRequests {
  readonly #server: Server;
  readonly #isOurs: (path: string) => boolean;
  readonly #listeners: RequestListener[];
  readonly #waiting: (() => void)[] = [];

  /** @param isOurs of the path without query */
  constructor(server: Server, isOurs: (path: string) => boolean) {
    this.#server = server;
    this.#isOurs = isOurs;
    this.#listeners = server.listeners('request').filter(isRequestListener);
    server.removeAllListeners('request');
    server.on('request', this.#request);
    server.on('upgrade', this.#upgrade);
  }

  /** Gives the server its own listeners back. @returns hands on those who waited, to whom listens then */
  release(): () => void {
    this.#server.off('request', this.#request);
    this.#server.off('upgrade', this.#upgrade);
    for (const listener of this.#listeners) this.#server.on('request', listener);
    return () => {
      for (const proceed of this.#waiting.splice(0)) proceed();
    };
  }

  readonly #request = (request: IncomingMessage, response: ServerResponse): void => {
    if (this.#knows(request)) this.#waiting.push(() => this.#server.emit('request', request, response));
    else for (const listener of this.#listeners) listener.call(this.#server, request, response);
  };

  readonly #upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (this.#knows(request)) this.#hold(request, socket, head);
    else if (this.#server.listenerCount('upgrade') === 1) {
      refuseUpgrade(socket, { status: 404, message: 'nothing is here' });
    }
  };

  #hold(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Nobody else listens on the bare socket: one that breaks while it waits would end the process.
    const gone = () => socket.destroy();
    socket.on('error', gone);
    this.#waiting.push(() => {
      socket.off('error', gone);
      if (socket.destroyed) return;
      // Where no gateway came to be, nobody takes upgrades, and the socket would stay open.
      if (!this.#server.emit('upgrade', request, socket, head)) socket.destroy();
    });
  }

  #knows({ url }: IncomingMessage): boolean {
    return this.#isOurs(parseTarget(url ?? '/').path);
  }
}

function isRequestListener(listener: unknown): listener is RequestListener {
  return typeof listener === 'function';
}
