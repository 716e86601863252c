import { goal, NO_GOAL, type Question, type Row } from '../question.js';
import { median } from '../statistics.js';
import { formatCell } from '../table.js';
import { type Paced, playInTurns, type RoundResult, roundMs } from './round.js';
import { endSide, startSide } from './sides.js';

const CONNECTIONS = 1_000;
const EVENT_BYTES = 200;
const INTERVAL_MS = 20;
const MOST_OF_ONE = 1.5;

/** A spread, and how many events are published at once: so many that each connection gets `perFlush` on average. */
interface Way {
  readonly case: string;
  readonly title: string;
  readonly spread: string;
  readonly batch: number;
  readonly perFlush: 1 | 5;
  readonly hasGoal?: true;
}

const WAYS: readonly Way[] = [
  { case: 'one', title: 'one topic for all', spread: 'one', batch: 5, perFlush: 5 },
  { case: 'same', title: 'the same ten of 1,000 for all', spread: 'the same ten', batch: 500, perFlush: 5 },
  {
    case: 'neighbours',
    title: 'ten of 1,000, i … i+9',
    spread: 'neighbours',
    batch: 500,
    perFlush: 5,
    hasGoal: true,
  },
  { case: 'random', title: 'ten of 1,000, by chance', spread: 'random', batch: 500, perFlush: 5, hasGoal: true },
  { case: 'wildcards', title: 'user.42.# and user.*.verb7', spread: 'wildcards', batch: 46, perFlush: 5 },
  { case: 'one', title: 'one topic for all', spread: 'one', batch: 1, perFlush: 1 },
  { case: 'each', title: 'a topic of its own', spread: 'one each', batch: 1_000, perFlush: 1 },
];

export const topics: Question = {
  name: 'topics',
  title: `Events of ${EVENT_BYTES} bytes to ${CONNECTIONS} connections by topics: CPU time of the gateway for one delivery`,
  cases: [...new Set(WAYS.map((way) => way.case))],
  goalCases: WAYS.filter((way) => way.hasGoal).map((way) => way.case),
  async answer(context) {
    const asked = WAYS.filter((way) => context.cases.length === 0 || context.cases.includes(way.case));
    const ways = WAYS.filter((way) => asked.includes(way) || asked.some((one) => isBase(way, one)));
    const spreads = [...new Set(ways.map(({ spread }) => spread))];
    context.progress(`topics: connecting ${CONNECTIONS} clients to each of ${spreads.length} gateways`);
    const options = { connections: CONNECTIONS, eventBytes: EVENT_BYTES };
    const started = await Promise.all(spreads.map((spread) => startSide('pregon', context, { ...options, spread })));
    const sides = new Map(started.map((side, index) => [spreads[index], side]));
    const turns = ways.flatMap(({ title, spread, batch }) => {
      const side = sides.get(spread);
      const plan: Paced = { kind: 'paced', batch, intervalMs: INTERVAL_MS, durationMs: roundMs(context) };
      return side ? [{ title: `topics: ${title}`, side, plan }] : [];
    });
    const results = await playInTurns(context, turns);
    await Promise.all(started.map(endSide));
    return ways.map((way, index) => {
      const base = ways.findIndex((one) => isBase(one, way));
      return toRow(way, results[index] ?? [], results[base] ?? []);
    });
  },
};

/** Whether `other` is compared with this one. */
function isBase(way: Way, other: Way): boolean {
  return way.case === 'one' && way.perFlush === other.perFlush;
}

function toRow(
  { title, hasGoal, batch, perFlush }: Way,
  results: readonly RoundResult[],
  base: readonly RoundResult[],
): Row {
  const of = (what: (result: RoundResult) => number) => median(results.map(what));
  const micros = of((result) => result.serverMicros);
  const part = micros / median(base.map((result) => result.serverMicros));
  return {
    topics: title,
    'each write': perFlush === 1 ? '1 event for each' : `${perFlush} events for each`,
    'events at once': batch,
    µs: micros,
    '× one topic': part,
    'per write': of((result) => result.perWrite),
    'reached per second': of((result) => result.perSecond),
    'client µs': of((result) => result.clientMicros),
    ...(hasGoal ? goal(`≤ ${MOST_OF_ONE} × one topic`, part <= MOST_OF_ONE, `${formatCell(part)} ×`) : NO_GOAL),
  };
}
