import { Child } from '../processes/child.js';
import { numberOf, seriesOf } from '../processes/messages.js';
import type { Context, Question, Row } from '../question.js';
import { median } from '../statistics.js';
import { type Paced, playRound, type RoundResult, roundMs, type Saturated } from './round.js';
import { endSide, newLogUrl, type Side } from './sides.js';

const CONNECTIONS = 1_000;
const EVENT_BYTES = 200;
const WORKERS = [1, 2, 4];

type CaseName = 'paced' | 'burst' | 'saturated';
const CASES: readonly CaseName[] = ['paced', 'burst', 'saturated'];

function plan(name: CaseName, context: Context): Paced | Saturated {
  const durationMs = roundMs(context);
  if (name === 'paced') return { kind: 'paced', batch: 1, intervalMs: 10, durationMs };
  if (name === 'burst') return { kind: 'paced', batch: 5, intervalMs: 10, durationMs };
  return { kind: 'saturated', batch: 500, window: 4_000, durationMs };
}

interface Measured extends RoundResult {
  /** CPU time of the busiest process per delivery of all processes: the load on one core. */
  readonly busiestMicros: number;
}

/**
 * Delivers the same events to the same connections with one process and with several. If there are fewer cores than
 * processes, the CPU time of each process shows what a core of its own would allow: the busiest process is the limit.
 */
export const workers: Question = {
  name: 'workers',
  title: `Events of ${EVENT_BYTES} bytes to ${CONNECTIONS} connections by pregon run --workers=N: CPU time for a delivery, of all processes and of the busiest one`,
  cases: CASES,
  goalCases: [],
  async answer(context) {
    const cases = CASES.filter((name) => context.cases.length === 0 || context.cases.includes(name));
    const sides = new Map<number, Side>();
    for (const count of WORKERS) {
      context.progress(`workers: connecting ${CONNECTIONS} clients to ${count}`);
      sides.set(count, await start(count, context));
    }
    const rows: Row[] = [];
    for (const name of cases) rows.push(...(await compare(name, sides, context)));
    await Promise.all([...sides.values()].map(endSide));
    return rows;
  },
};

async function start(count: number, context: Context): Promise<Side> {
  const log = newLogUrl(context);
  const load = Child.start('load/client');
  const server = Child.start('servers/workers');
  const producer = Child.start('servers/publisher');
  await producer.ask('open', { log, eventBytes: EVENT_BYTES, spread: 'one', connections: CONNECTIONS, around: 'none' });
  const port = numberOf(await server.ask('listen', { log, folder: context.folder, workers: count }), 'port');
  await load.ask('connect', { port, dialect: 'plain', query: '', spread: 'one', count: CONNECTIONS });
  return { name: 'pregon', server, producer, load, port, connections: CONNECTIONS, audiences: [CONNECTIONS], next: 1 };
}

/** Plays the rounds alternately. The first round is a warm-up. */
async function compare(name: CaseName, sides: ReadonlyMap<number, Side>, context: Context): Promise<Row[]> {
  const results = new Map<number, Measured[]>(WORKERS.map((count) => [count, []]));
  for (let round = 0; round <= (context.quick ? 1 : 3); round++) {
    for (const [count, side] of sides) {
      context.progress(`workers: ${name}, ${count}, ${round === 0 ? 'warming up' : `round ${round}`}`);
      const measured = await measure(side, plan(name, context));
      if (round > 0) results.get(count)?.push(measured);
    }
  }
  const of = (count: number, what: (measured: Measured) => number) => median((results.get(count) ?? []).map(what));
  // A busy machine flushes less often and more at once, so compare the cost of a write.
  const busiestWrite = (count: number) => of(count, ({ busiestMicros, perWrite }) => busiestMicros * perWrite);
  return WORKERS.map((count) => ({
    case: name,
    workers: count,
    'µs, all processes': of(count, ({ serverMicros }) => serverMicros),
    'µs, busiest process': of(count, ({ busiestMicros }) => busiestMicros),
    '× with a core each': busiestWrite(1) / busiestWrite(count),
    'reached per second': of(count, ({ perSecond }) => perSecond),
    'per write': of(count, ({ perWrite }) => perWrite),
    'client µs': of(count, ({ clientMicros }) => clientMicros),
  }));
}

async function measure(side: Side, plan: Paced | Saturated): Promise<Measured> {
  const before = seriesOf(await side.server.ask('cpu'), 'micros');
  const result = await playRound(side, plan);
  const after = seriesOf(await side.server.ask('cpu'), 'micros');
  const used = after.map((micros, index) => micros - (before[index] ?? 0));
  return { ...result, busiestMicros: Math.max(...used) / result.deliveries };
}
