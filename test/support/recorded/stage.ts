import { PregonError } from '@pregon/protocol';
import type { CounterSource, Observer, RouteHandlers } from 'pregon';
import { startGateway, type TestGateway } from '../gateway/gateway.js';
import { eventually } from '../waiting.js';
import type { Action, Way } from './recording.js';
import { openWire, type Wire } from './wire.js';

const handlers: RouteHandlers = {
  messages: {
    echo: (_, data) => data,
    fail: () => Promise.reject(new PregonError('FORBIDDEN', 'the auction is over')),
    nothing: () => undefined,
  },
  // Messages without a name, which plain clients send.
  message(connection, data) {
    if (data === 'fail') throw new Error('inside');
    if (typeof data === 'string') connection.send(`heard ${data}`);
  },
};

/** The rows after event 2. */
const snapshot = () => ({
  rows: [
    { id: '1', name: 'é' },
    { id: '2', name: '"' },
  ],
  sequence: 2,
  source: '/fixture',
});

/** The gateway of the sessions. Its options must not change, because recordings of all releases are played to it. */
export class Stage {
  readonly wires = new Map<string, Wire>();
  readonly #way: Way;
  readonly #started: TestGateway;
  readonly #counters: CounterSource;

  static async open(way: Way): Promise<Stage> {
    let counters: CounterSource | undefined;
    const observer: Observer = {
      started(source) {
        counters = source;
      },
    };
    const started = await startGateway({
      heartbeatMs: 25_000,
      observers: [observer],
      routes: {
        events: { path: '/events', topics: ['a.#', 'b.#'], handlers: [handlers] },
        rows: { path: '/rows', snapshot },
      },
    });
    if (!counters) throw new Error('the gateway did not call started() of the observer');
    return new Stage(way, started, counters);
  }

  private constructor(way: Way, started: TestGateway, counters: CounterSource) {
    this.#way = way;
    this.#started = started;
    this.#counters = counters;
  }

  /** @param fill replaces placeholders by the values of this run */
  async act(action: Action, fill: (text: string) => string): Promise<void> {
    switch (action.do) {
      case 'open': {
        const headers = Object.entries(action.headers ?? {}).map(([name, value]) => [name, fill(value)]);
        const host = `127.0.0.1:${this.#started.port}`;
        const target = fill(action.target);
        return void this.wires.set(
          action.wire,
          openWire(this.#way, { host, target, headers: Object.fromEntries(headers) }),
        );
      }
      case 'send':
        return this.wire(action.wire).send(fill(action.text));
      case 'drop':
        return this.wire(action.wire).drop();
      case 'append':
        return this.#append(action.numbers);
      case 'broadcast':
        return void this.#started.gateway.connections('events').broadcast(action.data, { name: action.name });
      case 'close the gateway':
        return this.#started.gateway.close({ spreadMs: 50, timeoutMs: 3_000 });
    }
  }

  wire(name: string): Wire {
    const wire = this.wires.get(name);
    if (wire) return wire;
    throw new Error(`the wire ${name} is not open`);
  }

  /** Odd numbers have the topic `a.<n>`, even numbers `b.<n>`. Resolves when the gateway has flushed them. */
  async #append(numbers: readonly number[]): Promise<void> {
    await this.#started.log.append(
      numbers.map((n) => ({
        specversion: '1.0',
        id: `event-${n}`,
        source: '/fixture',
        type: 'WasNumbered',
        topic: `${n % 2 === 1 ? 'a' : 'b'}.${n}`,
        exchange: 'events',
        time: `2026-01-01T00:00:0${n % 10}.000Z`,
        subject: `number/${n}`,
        sequence: String(n).padStart(16, '0'),
        data: { n, text: 'line\nbreak, é and "' },
      })),
    );
    await eventually(
      async () => (await this.#counters.lag()).offsets,
      (offsets) => offsets === 0,
    );
  }
}
