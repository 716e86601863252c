import { once } from 'node:events';
import { createServer, type Server, type Socket, connect as toServer } from 'node:net';
import { onTestFinished } from 'vitest';

const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/**
 * A proxy before a PostgreSQL that ends connections as soon as they are ready. The server's shutdown message directly
 * follows its first messages: a busy client reads both at once if the server is killed while the client connects.
 */
export class EndingProxy {
  /** From now on, connections end when they are ready. */
  isEnding = false;
  ended = 0;
  readonly #server: Server;
  readonly #target: URL;

  static async before(url: string): Promise<EndingProxy> {
    const proxy = new EndingProxy(url);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  private constructor(url: string) {
    this.#target = new URL(url);
    this.#server = createServer((client) => this.#pass(client));
    onTestFinished(() => void this.#server.close());
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new TypeError('no port');
    return Object.assign(new URL(this.#target), { port: String(address.port) }).href;
  }

  #pass(client: Socket): void {
    const server = toServer(Number(this.#target.port), this.#target.hostname);
    client.on('error', () => server.destroy()).on('close', () => server.destroy());
    server.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.pipe(server);
    const isEnding = this.isEnding;
    server.on('data', (data) => {
      if (!isEnding || !data.subarray(-READY.length).equals(READY)) {
        client.write(data);
        return;
      }
      this.ended += 1;
      client.end(Buffer.concat([data, fatal('57P01', 'terminating connection due to unexpected postmaster exit')]));
    });
  }
}

/** An ErrorResponse of PostgreSQL's protocol. */
function fatal(code: string, message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${message}\0\0`);
  const head = Buffer.alloc(5, 'E');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}
