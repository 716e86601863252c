import { Child } from '../processes/child.js';
import { numberOf } from '../processes/messages.js';
import type { Context, Question, Row } from '../question.js';
import { median } from '../statistics.js';
import { type Paced, playRound, type RoundResult, roundMs } from './round.js';
import { endSide, newLogUrl, type Side, type SideName } from './sides.js';

const READING = 900;
const SLOW = 100;
const EVENT_BYTES = 200;

interface Kind {
  readonly what: string;
  readonly count: number;
  readonly sips: number;
}

const KINDS: readonly Kind[] = [
  { what: 'none', count: 0, sips: 0 },
  { what: `${SLOW} read nothing`, count: SLOW, sips: 0 },
  { what: `${SLOW} read slowly`, count: SLOW, sips: 1 },
];

interface Measured {
  readonly rounds: readonly RoundResult[];
  readonly heldBytes: number;
}

export const slow: Question = {
  name: 'slow',
  title: `5,000 events a second, in batches of 50, to ${READING} connections that read, beside ${SLOW} that do not`,
  cases: [],
  goalCases: [],
  async answer(context) {
    const rows: Row[] = [];
    for (const kind of KINDS) rows.push(toRow(kind, await measure(kind, context)));
    return rows;
  },
};

async function measure({ what, count, sips }: Kind, context: Context): Promise<Measured> {
  const { side, port } = await start(context);
  const load = Child.start('load/slow');
  const plan: Paced = { kind: 'paced', batch: 50, intervalMs: 10, durationMs: roundMs(context) };
  context.progress(`slow, warming up: ${what}`);
  await playRound(side, { ...plan, durationMs: plan.durationMs / 2 });
  const before = await memoryOf(side);
  await load.ask('connect', { port, count, sips });
  const rounds: RoundResult[] = [];
  for (let round = 0; round < (context.quick ? 1 : 3); round++) {
    context.progress(`slow, round ${round + 1}: ${what}`);
    rounds.push(await playRound(side, plan, true));
  }
  const heldBytes = (await memoryOf(side)) - before;
  const there = numberOf(await side.server.ask('connections'), 'count');
  if (there !== READING + count) throw new Error(`slow: ${there} of ${READING + count} connections are left`);
  await load.ask('disconnect');
  await Promise.all([endSide(side), load.end()]);
  return { rounds, heldBytes };
}

async function start(context: Context): Promise<{ side: Side; port: number }> {
  const log = newLogUrl(context);
  const server = Child.start('servers/gateway', [...context.gatewayArgv, '--expose-gc']);
  const producer = Child.start('servers/publisher');
  const load = Child.start('load/client');
  await producer.ask('open', { log, eventBytes: EVENT_BYTES, spread: 'one', connections: READING, around: 'none' });
  const port = numberOf(await server.ask('listen', { log }), 'port');
  await load.ask('connect', { port, dialect: 'plain', query: '', count: READING });
  const name: SideName = 'pregon';
  const side = { name, server, producer, load, port, connections: READING, audiences: [READING], next: 1 };
  return { side, port };
}

async function memoryOf({ server }: Side): Promise<number> {
  return numberOf(await server.ask('memory'), 'rssBytes');
}

function toRow({ what, count }: Kind, { rounds, heldBytes }: Measured): Row {
  const of = (value: (round: RoundResult) => number) => median(rounds.map(value));
  return {
    slow: what,
    'µs for a delivery to those who read': of((round) => round.serverMicros),
    'p50 ms': of(({ figures }) => numberOf(figures, 'p50Micros') / 1_000),
    'p99 ms': of(({ figures }) => numberOf(figures, 'p99Micros') / 1_000),
    'MiB more than before': heldBytes / 1_048_576,
    'KiB for each slow one': count === 0 ? '' : String(Math.round(heldBytes / count / 1_024)),
  };
}
