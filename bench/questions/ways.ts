import { Child } from '../processes/child.js';
import { type Figures, numberOf } from '../processes/messages.js';
import { SERVER_FLAGS } from '../processes/server-flags.js';
import type { Context, Question, Row } from '../question.js';
import { newLogUrl } from './sides.js';

const EVENT_BYTES = 200;
const VIEWERS = 200;
const POLLING_MS = 3_000;

/** After this time, all viewers have connected and requested updates once. */
const SETTLE_MS = POLLING_MS + 500;
const PATIENCE_MS = 2 * POLLING_MS + 5_000;

const WAYS = ['polling', 'long polling', 'WebSocket'] as const;
type Way = (typeof WAYS)[number];

interface Rate {
  readonly name: string;
  readonly updates: string;
  readonly intervalMs: number;
}

/** An auction at midday, and in its last minute. */
const RATES: readonly Rate[] = [
  { name: 'seldom', updates: 'one in 4 s', intervalMs: 4_000 },
  { name: 'often', updates: '10 a second', intervalMs: 100 },
];

/** A server and its viewers, all using one way; each a process. */
interface Side {
  readonly way: Way;
  readonly server: Child;
  readonly load: Child;
}

export const ways: Question = {
  name: 'ways',
  title: `[001-05/06/07] Polling every ${POLLING_MS / 1_000} s, long polling and WebSocket: what an update of ${EVENT_BYTES} bytes costs for each of ${VIEWERS} viewers`,
  cases: RATES.map(({ name }) => name),
  goalCases: [],
  async answer(context) {
    const wanted = RATES.filter(({ name }) => context.cases.length === 0 || context.cases.includes(name));
    const rows: Row[] = [];
    for (const rate of wanted) rows.push(...(await measureRate(rate, context)));
    return rows;
  },
};

/** Measures the same updates over all ways at once. */
async function measureRate(rate: Rate, context: Context): Promise<Row[]> {
  const log = newLogUrl(context);
  const publisher = Child.start('servers/publisher');
  await publisher.ask('open', { log, eventBytes: EVENT_BYTES });
  const sides = await Promise.all(WAYS.map((way) => startSide(way, log, context)));
  context.progress(`ways: ${VIEWERS} viewers each, ${rate.updates}`);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const before = await Promise.all(sides.map(costs));
  const durationMs = context.quick ? 8_000 : 16_000;
  const { intervalMs } = rate;
  const sent = numberOf(await publisher.ask('produce', { first: 1, batch: 1, intervalMs, durationMs }), 'sent');
  const after = await Promise.all(sides.map(costs));
  const rows = await Promise.all(
    sides.map(async ({ way, load }, index) => {
      const got = await load.ask('finish', { updates: sent * VIEWERS, patienceMs: PATIENCE_MS });
      if (got['seen'] !== sent * VIEWERS || got['misordered'] !== 0)
        throw new Error(`${way}: ${JSON.stringify(got)}, but expected ${sent} updates to each of ${VIEWERS}`);
      const each = (what: string) =>
        (numberOf(after[index] ?? {}, what) - numberOf(before[index] ?? {}, what)) / (sent * VIEWERS);
      return toRow(rate, way, each, got);
    }),
  );
  await Promise.all([publisher, ...sides.flatMap(({ server, load }) => [server, load])].map((child) => child.end()));
  return rows;
}

async function startSide(way: Way, log: string, context: Context): Promise<Side> {
  const server = Child.start('servers/ways', way === 'WebSocket' ? context.gatewayArgv : SERVER_FLAGS);
  const load = Child.start('load/viewers');
  const port = numberOf(await server.ask('listen', { log, way }), 'port');
  await load.ask('view', { port, way, count: VIEWERS, everyMs: POLLING_MS });
  return { way, server, load };
}

async function costs({ server }: Side): Promise<Figures> {
  const [traffic, cpu] = await Promise.all([server.ask('traffic'), server.ask('cpu')]);
  return { ...traffic, ...cpu };
}

function toRow({ name, updates }: Rate, way: Way, each: (what: string) => number, got: Figures): Row {
  return {
    case: name,
    updates,
    way,
    requests: each('requests'),
    'bytes, both directions': each('bytes'),
    'server µs': each('cpuMicros'),
    'delay p50 ms': numberOf(got, 'p50Micros') / 1_000,
    'delay p99 ms': numberOf(got, 'p99Micros') / 1_000,
  };
}
