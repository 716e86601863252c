import { connect, type Socket } from 'node:net';
import { answer } from '../processes/answer.js';
import { numberOf, textOf } from '../processes/messages.js';
import { SameStream } from './same-stream.js';
import { clientText, upgradeRequest } from './wire.js';

const HANDSHAKES = 100;
const POLL_MS = 5;
const OFFER = 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n';
/** Subscribes with batches: several events in one frame, if that needs fewer bytes. */
const SUBSCRIBE = '{"op":"subscribe","id":1,"batch":true}';

/** All sockets read into this buffer. */
const READ_BUFFER = Buffer.allocUnsafeSlow(262_144);

let stream = new SameStream();
let connections: Reader[] = [];
let beganAtMs = 0;
let lastAtMs = 0;
let differing = 0;
let first = 0;

/** A connection that compares its bytes with those of the other connections. */
class Reader {
  readonly socket: Socket;
  readonly ready: Promise<void>;
  readonly #protocol: string | undefined;
  #greeted = () => {};
  /** The bytes before the common stream; undefined from its start on. */
  #greeting: string | undefined = '';
  at = 0;

  constructor(port: number, path: string, protocol: string | undefined) {
    this.#protocol = protocol;
    const callback = (bytes: number) => this.#read(bytes);
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer: READ_BUFFER, callback } });
    this.socket.write(upgradeRequest(port, path, { protocol }).replace(/\r\n$/, OFFER));
    this.ready = new Promise((resolve, reject) => {
      this.socket.on('error', reject);
      this.#greeted = resolve;
    });
  }

  /** Starts the common stream: from now on, all connections get the same bytes. */
  begin(): void {
    this.#greeting = undefined;
    this.at = 0;
  }

  #read(size: number): boolean {
    lastAtMs = performance.now();
    if (this.#greeting !== undefined) {
      this.#greet(this.#greeting + READ_BUFFER.toString('latin1', 0, size));
    } else {
      if (!stream.matches(this.at, READ_BUFFER, size)) differing += 1;
      this.at += size;
    }
    return true;
  }

  #greet(text: string): void {
    const asked = this.#greeting?.includes('"welcome"');
    this.#greeting = text;
    if (!text.includes('\r\n\r\n')) return;
    if (!text.startsWith('HTTP/1.1 101')) throw new Error(`not accepted: ${text.slice(0, 200)}`);
    if (this.#protocol === undefined || text.includes('"subscribed"')) this.#greeted();
    else if (!asked && text.includes('"welcome"')) this.socket.write(clientText(SUBSCRIBE));
  }
}

answer({
  /** Opens `count` connections to `path`, all with an offer of permessage-deflate. */
  async connect(fields) {
    const protocol = textOf(fields, 'protocol') || undefined;
    stream = new SameStream();
    const count = numberOf(fields, 'count');
    while (connections.length < count) {
      const group = Array.from(
        { length: Math.min(HANDSHAKES, count - connections.length) },
        () => new Reader(numberOf(fields, 'port'), textOf(fields, 'path'), protocol),
      );
      connections.push(...group);
      await Promise.all(group.map(({ ready }) => ready));
    }
    return { connections: connections.length };
  },

  /** Expects event number `first` next on each connection. */
  begin(fields) {
    first = numberOf(fields, 'first');
    stream.clear();
    differing = 0;
    for (const connection of connections) connection.begin();
    beganAtMs = performance.now();
    return {};
  },

  /**
   * Waits until `events` have arrived in total, or until nothing has arrived for `patienceMs`. An event that all
   * received is parsed once.
   */
  async finish(fields) {
    let seen = 0;
    let misordered = 0;
    let bytes = 0;
    const arrived = () => connections.filter(({ at }) => at === stream.length).length;
    while (performance.now() - lastAtMs < numberOf(fields, 'patienceMs')) {
      for (const text of await stream.read()) {
        for (const event of eventsOf(text)) {
          if (event.number !== first + seen) misordered += 1;
          seen += 1;
          bytes += event.bytes;
        }
      }
      if (seen * connections.length >= numberOf(fields, 'events') && arrived() === connections.length) break;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    const taken = arrived();
    return {
      events: seen * taken,
      bytes: bytes * taken,
      wireBytes: stream.length * taken,
      misordered: misordered + differing,
      elapsedMs: lastAtMs - beganAtMs,
    };
  },

  disconnect() {
    for (const { socket } of connections) socket.resetAndDestroy();
    connections = [];
    return {};
  },
});

/** The number of each event in a message, and its bytes as if it were sent alone. */
function eventsOf(text: string): { number: number; bytes: number }[] {
  const message: unknown = JSON.parse(text);
  const events = isRecord(message) && Array.isArray(message['events']) ? message['events'] : [message];
  return events.map((event: unknown) => ({
    number: isRecord(event) ? Number(event['id']) : Number.NaN,
    bytes: JSON.stringify(event).length,
  }));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
