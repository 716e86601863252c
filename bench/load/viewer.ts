import { Agent, get } from 'node:http';
import WebSocket from 'ws';

/** Receives what happens at a viewer. */
export interface Sight {
  /** An update arrived, as parsed JSON. */
  seen(update: unknown): void;
  failed(error: Error): void;
}

export interface Viewer {
  close(): void;
}

/** The headers that Chromium sends with a page's `fetch`, without cookies. */
const HEADERS = {
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  Accept: '*/*',
  'Sec-Fetch-Site': 'same-origin',
  'Sec-Fetch-Mode': 'cors',
  'Sec-Fetch-Dest': 'empty',
  Referer: 'http://127.0.0.1/auction',
  'Accept-Encoding': 'gzip, deflate, br, zstd',
  'Accept-Language': 'en-US,en;q=0.9',
};

/** Requests updates every `everyMs`. */
export class PollingViewer implements Viewer {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #timer: NodeJS.Timeout;
  #after = 0;
  #asking = false;

  constructor(port: number, everyMs: number, sight: Sight) {
    const ask = () => {
      // A page whose last request is still pending does not send another.
      if (this.#asking) return;
      this.#asking = true;
      fetchUpdates(this.#agent, `http://127.0.0.1:${port}/poll?after=${this.#after}`).then((updates) => {
        this.#asking = false;
        this.#after += updates.length;
        for (const update of updates) sight.seen(update);
      }, sight.failed);
    };
    // A random start: pages are opened at any time.
    this.#timer = setTimeout(() => {
      ask();
      this.#timer = setInterval(ask, everyMs);
    }, Math.random() * everyMs);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#agent.destroy();
  }
}

/** Requests updates in a loop; the server answers each request when there is an update. */
export class LongPollingViewer implements Viewer {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #closed = false;

  constructor(port: number, sight: Sight) {
    this.#follow(port, sight).catch((error: Error) => {
      if (!this.#closed) sight.failed(error);
    });
  }

  close(): void {
    this.#closed = true;
    this.#agent.destroy();
  }

  async #follow(port: number, sight: Sight): Promise<void> {
    for (let after = 0; !this.#closed; ) {
      const updates = await fetchUpdates(this.#agent, `http://127.0.0.1:${port}/wait?after=${after}`);
      after += updates.length;
      for (const update of updates) sight.seen(update);
    }
  }
}

/** Receives updates over a WebSocket. */
export class WebSocketViewer implements Viewer {
  readonly #socket: WebSocket;

  constructor(port: number, sight: Sight) {
    this.#socket = new WebSocket(`ws://127.0.0.1:${port}/events`, { headers: HEADERS });
    this.#socket.on('message', (data) => sight.seen(JSON.parse(String(data))));
    this.#socket.on('error', sight.failed);
  }

  close(): void {
    this.#socket.terminate();
  }
}

function fetchUpdates(agent: Agent, url: string): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent, headers: HEADERS }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve(JSON.parse(Buffer.concat(parts).toString('utf8'))));
    });
    request.on('error', reject);
  });
}
