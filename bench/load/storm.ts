import { constants, setPriority } from 'node:os';
import { answer } from '../processes/answer.js';
import { type Figures, numberOf, textOf } from '../processes/messages.js';
import { spreadOf } from '../spread.js';
import { quantile } from '../statistics.js';
import { cadenceOf } from './cadence.js';
import { LoadConnection } from './connection.js';
import { type Dialect, dialectOf } from './dialect.js';
import { Tally } from './tally.js';

const POLL_MS = 2;

/** The topics of the returning clients; the other connections have not subscribed to them. */
const TOPICS = 'price.#';

const tally = new Tally();
let connections: LoadConnection[] = [];
/** The position at which all clients resume. */
let since = '';
let failure: Error | undefined;

/** How a client of one kind resumes. */
function returning(name: string): { dialect: Dialect; query: string } {
  const query = `?topics=${encodeURIComponent(TOPICS)}&since=${since}`;
  if (name === 'plain') return { dialect: dialectOf('plain'), query };
  const wanted = name === 'snapshot' ? '"snapshot":true' : `"since":"${since}"`;
  return { dialect: framed(`{"op":"subscribe","id":1,"topics":["${TOPICS}"],${wanted}}`), query: '' };
}

function open(
  port: number,
  { dialect, query }: { dialect: Dialect; query: string },
  thorough: boolean,
): LoadConnection {
  return new LoadConnection({ port, dialect, query, cadence: cadenceOf(spreadOf('one'), 0), tally, thorough });
}

function framed(subscribe: string): Dialect {
  const dialect = dialectOf('pregon.v1');
  return {
    ...dialect,
    hear: (text) => (text.startsWith('{"op":"welcome"') ? { reply: subscribe } : dialect.hear(text)),
  };
}

// In production, returning clients run on other machines. Here they must not take CPU time from the gateway and from
// the connections whose delay is measured.
setPriority(constants.priority.PRIORITY_LOW);

answer({
  /** Records the current position of the log of the gateway at `port`. */
  async mark(fields) {
    const dialect = dialectOf('pregon.v1');
    const marking: Dialect = {
      ...dialect,
      hear(text) {
        since = /"op":"subscribed".*"position":"([^"]+)"/.exec(text)?.[1] ?? since;
        return dialect.hear(text);
      },
    };
    const connection = open(numberOf(fields, 'port'), { dialect: marking, query: '' }, false);
    await connection.opened;
    connection.close();
    return {};
  },

  /** `count` clients resume at once; ends when each has the `missed` events from `first` on, or has its snapshot. */
  async storm(fields): Promise<Figures> {
    const end = numberOf(fields, 'first') + numberOf(fields, 'missed');
    const patientUntil = performance.now() + numberOf(fields, 'patienceMs');
    const client = returning(textOf(fields, 'dialect'));
    const answeredMs: number[] = [];
    const servedMs: number[] = [];
    tally.reset();
    const began = performance.now();
    connections = Array.from({ length: numberOf(fields, 'count') }, (_, index) => {
      const connection = open(numberOf(fields, 'port'), client, index % 100 === 0);
      connection.expect(numberOf(fields, 'first'));
      connection.opened.then(() => answeredMs.push(performance.now() - began), fail);
      return connection;
    });
    let behind = [...connections];
    while (answeredMs.length < connections.length || behind.length > 0) {
      if (failure) throw failure;
      if (performance.now() > patientUntil)
        throw new Error(`${behind.length} clients have not received the events that they missed`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      const now = performance.now();
      behind = behind.filter(({ next = 0 }) => {
        if (next < end) return true;
        servedMs.push(now - began);
        return false;
      });
    }
    const { events, misordered } = tally;
    const answered = { answeredP50Ms: quantile(answeredMs, 0.5), answeredMaxMs: quantile(answeredMs, 1) };
    return {
      ...answered,
      elapsedMs: performance.now() - began,
      servedP50Ms: quantile(servedMs, 0.5),
      events,
      misordered,
    };
  },

  disconnect() {
    for (const connection of connections) connection.close();
    connections = [];
    return {};
  },
});

function fail(error: Error): void {
  failure ??= error;
}
