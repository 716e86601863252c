import { numberOf } from '../processes/messages.js';
import { type Context, NO_GOAL, type Question, type Row } from '../question.js';
import { type Paced, playRound } from './round.js';
import { endSide, SIDES, type SideName, startSide } from './sides.js';

const EVENT_BYTES = 200;

export const latency: Question = {
  name: 'latency',
  title: 'From before the append (for peers: the send) to the client that is written to last, at 100 events per second',
  cases: [],
  async answer(context) {
    const rows: Row[] = [];
    for (const connections of [1, 1_000]) {
      for (const side of SIDES) rows.push(await measureSide(side, connections, context));
    }
    return rows;
  },
};

async function measureSide(name: SideName, connections: number, context: Context): Promise<Row> {
  context.progress(`latency: ${connections} connections to ${name}`);
  const side = await startSide(name, context, { connections, eventBytes: EVENT_BYTES });
  const plan: Paced = { kind: 'paced', batch: 1, intervalMs: 10, durationMs: context.quick ? 1_000 : 3_000 };
  await playRound(side, { ...plan, durationMs: 500 });
  const { figures } = await playRound(side, plan, true);
  await endSide(side);
  return {
    server: name,
    connections,
    'p50 ms': numberOf(figures, 'p50Micros') / 1_000,
    'p99 ms': numberOf(figures, 'p99Micros') / 1_000,
    ...NO_GOAL,
  };
}
