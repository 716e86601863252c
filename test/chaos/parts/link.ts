import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Random } from '../random.js';

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  /** Bytes that are dropped rather than passed on, since the connection is about to be cut. */
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
    // The other side's end must not end what is still on its way to this one.
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
   * Resets connections; what is on its way is lost.
   *
   * @param share how many of them, from 0 to 1
   * @returns how many were cut
   */
  cut(share: number, random: Random): number {
    const chosen = [...this.#pairs].filter(() => random.chance(share));
    for (const pair of chosen) destroy(pair);
    return chosen.length;
  }

  /** Passes nothing on, in neither direction, and connects nobody, until {@link thaw}. */
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
    // Whatever ends one side without an end of its stream, a refused or reset connection, resets the other.
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
    // A socket that has not been connected yet cannot be reset.
    if (socket.connecting) socket.destroy();
    else socket.resetAndDestroy();
  }
}
