import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy to a local port that can drop all answers: requests arrive, but nothing comes back. */
export class DeafLink {
  readonly #server: Server;
  readonly #pairs = new Set<{ near: Socket; far: Socket }>();
  #deafenAt: RegExp | undefined;

  static async open(port: number): Promise<DeafLink> {
    const link = new DeafLink(port);
    link.#server.listen(0, '127.0.0.1');
    await once(link.#server, 'listening');
    return link;
  }

  private constructor(port: number) {
    this.#server = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      const pair = { near, far };
      this.#pairs.add(pair);
      const end = () => {
        this.#pairs.delete(pair);
        near.destroy();
        far.destroy();
      };
      for (const socket of [near, far]) socket.on('error', end).on('close', end);
      near.on('data', (bytes) => {
        if (!this.#deafenAt?.test(bytes.toString('latin1'))) return;
        this.#deafenAt = undefined;
        this.deafen();
      });
      near.pipe(far);
      far.pipe(near);
    });
  }

  get port(): number {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the link is closed');
    return address.port;
  }

  /** From now on nothing comes back on the existing connections. */
  deafen(): void {
    for (const { near, far } of this.#pairs) {
      far.unpipe(near);
      far.resume();
    }
  }

  /** Does the same as soon as matching bytes are sent for the first time, so that they get no answer. */
  deafenAt(sent: RegExp): void {
    this.#deafenAt = sent;
  }

  /** Cuts the existing connections. */
  cut(): void {
    for (const { near, far } of this.#pairs) {
      near.destroy();
      far.destroy();
    }
  }

  async close(): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, 'close');
  }
}
