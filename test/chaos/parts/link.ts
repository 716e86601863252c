import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Random } from '../random.js';

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  /** Whether bytes are dropped instead of forwarded, because the connection is being cut. */
  cut: boolean;
}

/** A TCP proxy between two parts, whose connections can be cut or frozen. */
export class Link {
  readonly name: string;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #frozen = false;
  #waiting: (() => void)[] = [];

  private constructor(name: string, server: Server) {
    this.name = name;
    this.#server = server;
  }

  static async open(name: string, targetPort: number): Promise<Link> {
    // If one side ends, bytes to that side must still be forwarded.
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    const link = new Link(name, server);
    server.on('connection', (near) => link.#accept(near, targetPort));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return link;
  }

  get port(): number {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error(`${this.name} is closed`);
    return address.port;
  }

  /**
   * Resets connections; bytes in transit are lost.
   *
   * @param share the fraction of connections, from 0 to 1
   * @returns how many were cut
   */
  cut(share: number, random: Random): number {
    const chosen = [...this.#pairs].filter(() => random.chance(share));
    for (const pair of chosen) destroy(pair);
    return chosen.length;
  }

  /** Forwards nothing in either direction, and accepts no connection, until {@link thaw}. */
  freeze(): void {
    this.#frozen = true;
    for (const { near, far } of this.#pairs) {
      near.pause();
      far.pause();
    }
  }

  thaw(): void {
    this.#frozen = false;
    for (const { near, far } of this.#pairs) {
      near.resume();
      far.resume();
    }
    for (const resume of this.#waiting.splice(0)) resume();
  }

  close(): void {
    this.#server.close();
    for (const pair of this.#pairs) destroy(pair);
  }

  #accept(near: Socket, targetPort: number): void {
    if (this.#frozen) {
      this.#waiting.push(() => this.#accept(near, targetPort));
      return;
    }
    if (near.destroyed) return;
    const far = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    near.setNoDelay(true);
    const pair: Pair = { near, far, cut: false };
    this.#pairs.add(pair);
    this.#pass(pair, near, far);
    this.#pass(pair, far, near);
    far.once('connect', () => {
      if (!this.#frozen) near.resume();
    });
  }

  #pass(pair: Pair, from: Socket, to: Socket): void {
    from.on('data', (bytes) => {
      if (pair.cut || to.write(bytes)) return;
      from.pause();
      to.once('drain', () => {
        if (!this.#frozen) from.resume();
      });
    });
    from.on('end', () => to.end());
    // Anything but a regular end of the stream, such as a refused or reset connection, resets the other side.
    from.on('error', () => destroy(pair));
    from.on('close', () => {
      if (from.errored !== null || !from.readableEnded) destroy(pair);
      if (pair.near.destroyed && pair.far.destroyed) this.#pairs.delete(pair);
    });
  }
}

function destroy(pair: Pair): void {
  pair.cut = true;
  for (const socket of [pair.near, pair.far]) {
    if (socket.destroyed) continue;
    // A socket that is not connected yet cannot be reset.
    if (socket.connecting) socket.destroy();
    else socket.resetAndDestroy();
  }
}
