import { Child } from '../processes/child.js';
import { type Figures, numberOf } from '../processes/messages.js';
import { endAll } from '../processes/running.js';
import type { Context, Question, Row } from '../question.js';
import { type Bus, installBus, missingBus } from './installation.js';
import { cpuMicros } from './sides.js';

const EVENT_BYTES = 200;
const INTERVAL_MS = 10;
const WARM_UP = 100;
const PATIENCE_MS = 10_000;

/** How far the producer may be ahead of the slowest connection at the highest rate, in events. */
const WINDOW = 4_000;
const BATCH = 200;
const FEEDBACK_MS = 5;

interface Measured {
  readonly perSecond: number;
  readonly serverMicros: number;
  readonly figures: Figures;
}

interface Case {
  readonly name: 'paced' | 'saturated';
  readonly connections: number;
}

const CASES: readonly Case[] = [
  { name: 'paced', connections: 1 },
  { name: 'paced', connections: 100 },
  { name: 'paced', connections: 1_000 },
  { name: 'saturated', connections: 1 },
  { name: 'saturated', connections: 100 },
];

export const bus: Question = {
  name: 'bus',
  title: `Events of ${EVENT_BYTES} bytes from a producer that publishes to an exchange of RabbitMQ, to the clients of a gateway`,
  cases: ['paced', 'saturated'],
  goalCases: [],
  async answer(context) {
    const wanted = CASES.filter(({ name }) => context.cases.length === 0 || context.cases.includes(name));
    const missing = await missingBus();
    const rows: Row[] = [];
    for (const one of wanted) {
      if (missing !== undefined) rows.push(toRow(one, undefined, `skipped: ${missing}`));
      else rows.push(toRow(one, await measureInstalled(one, context), ''));
    }
    return rows;
  },
};

async function measureInstalled(one: Case, context: Context): Promise<Measured> {
  context.progress(`bus: ${one.name}, ${one.connections} connections`);
  const installed = installBus();
  try {
    return await measure(one, installed, context);
  } finally {
    await endAll();
    await installed.remove();
  }
}

/** @throws Error if an event is missing on any connection, or out of order */
async function measure(
  { name, connections }: Case,
  { broker, log, exchange }: Bus,
  context: Context,
): Promise<Measured> {
  const gateway = Child.start('servers/gateway', context.gatewayArgv);
  const load = Child.start('load/client');
  const producer = Child.start('servers/bus-producer');
  const port = numberOf(await gateway.ask('listen', { log, exchange }), 'port');
  await producer.ask('open', { broker, exchange, eventBytes: EVENT_BYTES });
  // With the subprotocol, because it reports when a connection is live.
  await load.ask('connect', { port, dialect: 'pregon.v1', query: '', count: connections });
  const durationMs = context.quick ? 1_000 : 5_000;
  const play = async (first: number, produce: () => Promise<Figures>) => {
    await load.ask('begin', { first, record: 'latencies' });
    const before = await cpuMicros(gateway);
    const sent = numberOf(await produce(), 'sent');
    const figures = await load.ask('finish', { events: sent * connections, patienceMs: PATIENCE_MS });
    if (figures['events'] !== sent * connections || figures['misordered'] !== 0)
      throw new Error(`bus: ${JSON.stringify(figures)} of ${sent} events to ${connections} connections`);
    const perSecond = sent / (numberOf(figures, 'elapsedMs') / 1_000);
    return { sent, perSecond, serverMicros: ((await cpuMicros(gateway)) - before) / sent, figures };
  };
  const paced = (first: number, ms: number) =>
    producer.ask('produce', { first, batch: 1, intervalMs: INTERVAL_MS, durationMs: ms });
  const { sent } = await play(1, () => paced(1, WARM_UP * INTERVAL_MS));
  const first = 1 + sent;
  return play(first, () => (name === 'paced' ? paced(first, durationMs) : saturate(producer, load, first, durationMs)));
}

/** Publishes at the highest rate that the slowest connection can follow. */
async function saturate(producer: Child, load: Child, first: number, durationMs: number): Promise<Figures> {
  const produced = producer.ask('saturate', { first, batch: BATCH });
  const end = performance.now() + durationMs;
  while (performance.now() < end) {
    const next = numberOf(await load.ask('progress'), 'next');
    await producer.ask('allow', { before: next + WINDOW });
    await new Promise((resolve) => setTimeout(resolve, FEEDBACK_MS));
  }
  await producer.ask('stop');
  return produced;
}

function toRow({ name, connections }: Case, measured: Measured | undefined, note: string): Row {
  const millis = (what: string) => (measured ? numberOf(measured.figures, what) / 1_000 : Number.NaN);
  return {
    case: name,
    connections,
    'events per second': measured?.perSecond ?? Number.NaN,
    'gateway µs for an event': measured?.serverMicros ?? Number.NaN,
    'p50 ms': millis('p50Micros'),
    'p99 ms': millis('p99Micros'),
    'max ms': millis('maxMicros'),
    note,
  };
}
