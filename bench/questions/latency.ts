import { numberOf } from '../processes/messages.js';
import { endAll } from '../processes/running.js';
import type { Context, Question, Row } from '../question.js';
import { median, quantile } from '../statistics.js';
import { measureCommits } from './commit.js';
import { KINDS, type Kind } from './installation.js';
import { type Paced, playRound } from './round.js';
import { endSide, type SideName, startSide } from './sides.js';

const EVENT_BYTES = 200;

export const latency: Question = {
  name: 'latency',
  title:
    'From the COMMIT (append: from before the append; for peers: from the send) to the client that an event comes to last, ' +
    'at 100 events per second; what lies between, as medians',
  cases: ['commit', 'append'],
  goalCases: [],
  async answer(context) {
    const wants = (name: string) => context.cases.length === 0 || context.cases.includes(name);
    const rows: Row[] = [];
    if (wants('commit')) for (const kind of KINDS) rows.push(...(await measureKind(kind, context)));
    if (!wants('append')) return rows;
    for (const connections of [1, 1_000]) {
      for (const side of ['pregon', 'ws', 'socket.io'] satisfies SideName[])
        rows.push(await measureSide(side, connections, context));
    }
    return rows;
  },
};

/** The cells of a row that could not be measured. */
const NOT_MEASURED = { 'per second': '', 'p50 ms': '', 'p99 ms': '', 'max ms': '' };
const NO_PARTS = { commit: '', relay: '', append: '', delivery: '' };

async function measureKind(kind: Kind, context: Context): Promise<Row[]> {
  const missing = await kind.missing();
  const rows: Row[] = [];
  for (const connections of [1, 100]) {
    const row = { case: 'commit', server: kind.name, connections };
    if (missing === undefined) rows.push({ ...row, ...(await measureInstalled(kind, connections, context)) });
    else rows.push({ ...row, ...NOT_MEASURED, ...NO_PARTS, note: `skipped: ${missing}` });
  }
  return rows;
}

async function measureInstalled(kind: Kind, connections: number, context: Context): Promise<Row> {
  context.progress(`latency: commit to ${connections} connections, ${kind.name}`);
  const installation = await kind.install(context);
  try {
    const measured = await measureCommits(installation, connections, context);
    const { perSecond, whole, commit, relay, append, delivery } = measured;
    return {
      'per second': perSecond,
      'p50 ms': median(whole) / 1_000,
      'p99 ms': quantile(whole, 0.99) / 1_000,
      'max ms': quantile(whole, 1) / 1_000,
      commit: median(commit) / 1_000,
      relay: median(relay) / 1_000,
      append: median(append) / 1_000,
      delivery: median(delivery) / 1_000,
      note: '',
    };
  } finally {
    await endAll();
    await installation.remove();
  }
}

async function measureSide(name: SideName, connections: number, context: Context): Promise<Row> {
  context.progress(`latency: ${connections} connections to ${name}`);
  const side = await startSide(name, context, { connections, eventBytes: EVENT_BYTES });
  const plan: Paced = { kind: 'paced', batch: 1, intervalMs: 10, durationMs: context.quick ? 500 : 3_000 };
  await playRound(side, { ...plan, durationMs: 500 });
  const { figures, deliveries } = await playRound(side, plan, true);
  await endSide(side);
  return {
    case: 'append',
    server: name,
    connections,
    'per second': deliveries / connections / (plan.durationMs / 1_000),
    'p50 ms': numberOf(figures, 'p50Micros') / 1_000,
    'p99 ms': numberOf(figures, 'p99Micros') / 1_000,
    'max ms': numberOf(figures, 'maxMicros') / 1_000,
    ...NO_PARTS,
    note: '',
  };
}
