import { answer } from '../processes/answer.js';
import { type Figures, numberOf, textOf } from '../processes/messages.js';
import { type Spread, spreadOf } from '../spread.js';
import { quantile } from '../statistics.js';
import { cadenceOf } from './cadence.js';
import { LoadConnection } from './connection.js';
import { dialectOf } from './dialect.js';
import { Tally } from './tally.js';
import { signToken, tokenPlanOf } from './tokens.js';

/** How many handshakes run at once. */
const HANDSHAKES = 100;
const POLL_MS = 2;

const tally = new Tally();
let connections: LoadConnection[] = [];
let beganAtMs = 0;

answer({
  /**
   * Opens `count` more connections to `port`; ends when all are open. Each sends `query`, or its topics in the spread
   * named `spread`, if there is one and `silent` is not 1; with the headers of a browser if `browser` is 1; with a new
   * token if there is a `key`.
   */
  async connect(fields) {
    const port = numberOf(fields, 'port');
    const spread = spreadOf(fields['spread'] === undefined ? 'one' : textOf(fields, 'spread'));
    const dialect = dialectOf(textOf(fields, 'dialect'));
    const count = numberOf(fields, 'count');
    const browser = fields['browser'] === 1;
    const isSilent = fields['silent'] === 1;
    const plan = tokenPlanOf(fields);
    beganAtMs = performance.now();
    for (let opened = 0; opened < count; opened += HANDSHAKES) {
      const group = Array.from({ length: Math.min(HANDSHAKES, count - opened) }, (_, index) => {
        const number = opened + index;
        const query = (isSilent ? undefined : topicsQuery(spread, number)) ?? textOf(fields, 'query');
        const token = plan && signToken(plan, number);
        const cadence = cadenceOf(spread, number);
        return new LoadConnection({
          port,
          dialect,
          query,
          cadence,
          tally,
          thorough: number === count - 1,
          browser,
          token,
        });
      });
      connections.push(...group);
      await Promise.all(group.map((connection) => connection.opened));
    }
    return { connections: connections.length };
  },

  /**
   * Resets the counts. The next event is number `first`, on each connection that subscribed to it. `record` selects
   * which times are recorded.
   */
  begin(fields) {
    const record = textOf(fields, 'record');
    tally.latencies = record === 'latencies' ? [] : undefined;
    tally.arrivals = record === 'arrivals' ? [] : undefined;
    tally.first = numberOf(fields, 'first');
    tally.reset();
    for (const connection of connections) connection.expect(tally.first);
    beganAtMs = performance.now();
    return {};
  },

  /** The number of the event that the slowest connection waits for. */
  progress() {
    return { next: Math.min(...connections.map((connection) => connection.next ?? 0)) };
  },

  /** Waits until `events` have arrived in total, or until nothing has arrived for `patienceMs`. */
  async finish(fields) {
    const events = numberOf(fields, 'events');
    let before = -1;
    let patientUntil = 0;
    while (tally.events < events) {
      const now = performance.now();
      if (tally.events !== before) {
        before = tally.events;
        patientUntil = now + numberOf(fields, 'patienceMs');
      } else if (now > patientUntil) break;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return counted();
  },

  /** The time at which each event since `begin` had arrived on all connections, in microseconds. */
  arrivals() {
    return { arrivals: tally.arrivals ?? [] };
  },

  disconnect() {
    for (const connection of connections) connection.close();
    connections = [];
    return {};
  },

  async leave() {
    await leave();
    return {};
  },
});

/** Closes the connections as browsers do, at most as many at once as there are handshakes at once. */
async function leave(): Promise<void> {
  const leaving = connections;
  connections = [];
  for (let left = 0; left < leaving.length; left += HANDSHAKES) {
    await Promise.all(leaving.slice(left, left + HANDSHAKES).map((connection) => connection.leave()));
  }
}

function topicsQuery(spread: Spread, connection: number): string | undefined {
  const patterns = spread.patternsOf(connection);
  return patterns.length === 0 ? undefined : `?topics=${encodeURIComponent(patterns.join(','))}`;
}

function counted(): Figures {
  const { events, bytes, misordered, lastAtMs, latencies } = tally;
  const figures = { events, bytes, misordered, elapsedMs: lastAtMs - beganAtMs };
  if (!latencies || latencies.length === 0) return figures;
  const quantiles = { p50Micros: quantile(latencies, 0.5), p99Micros: quantile(latencies, 0.99) };
  return { ...figures, ...quantiles, maxMicros: quantile(latencies, 1) };
}
