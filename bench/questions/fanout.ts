import { type Context, goal, NO_GOAL, type Question, type Row } from '../question.js';
import { median } from '../statistics.js';
import { type Paced, playRound, type RoundResult, type Saturated } from './round.js';
import { endSide, type Side, type SideName, startSide } from './sides.js';

const CONNECTIONS = 1_000;
const EVENT_BYTES = 200;

type CaseName = 'paced' | 'burst' | 'saturated';
const CASES: readonly CaseName[] = ['paced', 'burst', 'saturated'];

/** What each round does. A server that keeps a queue for each client gets a window that keeps it busy and no more. */
function plan(name: CaseName, side: SideName, quick: boolean): Paced | Saturated {
  const durationMs = quick ? 800 : 2_000;
  switch (name) {
    case 'paced':
      return { kind: 'paced', batch: 1, intervalMs: 10, durationMs };
    case 'burst':
      return { kind: 'paced', batch: 5, intervalMs: 5, durationMs };
    case 'saturated':
      return side.startsWith('pregon')
        ? { kind: 'saturated', batch: 500, window: 4_000, durationMs }
        : { kind: 'saturated', batch: 10, window: 60, durationMs };
  }
}

interface Reached {
  readonly micros: number;
  readonly perSecond: number;
  /** CPU time for a delivery, as a part of what a peer takes. */
  readonly part: (peer: SideName) => number;
}

function goalOf(name: CaseName, { micros, perSecond, part }: Reached): { goal: string; met: string } {
  switch (name) {
    case 'paced':
      return goal('≤ 6.2 µs, ≤ 0.85 × ws', micros <= 6.2 && part('ws') <= 0.85);
    case 'burst': {
      const ahead = part('ws') <= 1 / 6 && part('socket.io') <= 1 / 6;
      return goal('≤ 1.15 µs, ≥ 950,000/s, ≤ 1/6 of each', micros <= 1.15 && perSecond >= 950_000 && ahead);
    }
    case 'saturated':
      return goal('≥ 8M per CPU-second, ≤ 1/40 of socket.io', micros <= 1 / 8 && part('socket.io') <= 1 / 40);
  }
}

interface Comparison {
  readonly name: string;
  readonly title: string;
  readonly sides: readonly SideName[];
  readonly goalOf: (name: CaseName, reached: Reached) => { goal: string; met: string };
}

export const fanout = compare({
  name: 'fanout',
  title: `One event of ${EVENT_BYTES} bytes to ${CONNECTIONS} connections: CPU time of the server for one delivery`,
  sides: ['pregon', 'ws', 'socket.io'],
  goalOf,
});

export const socketIo = compare({
  name: 'socketio',
  title: `The same to ${CONNECTIONS} clients of Socket.IO`,
  sides: ['pregon, Socket.IO', 'socket.io'],
  goalOf: (name, { part }) => (name === 'burst' ? goal('≤ 1/6 of socket.io', part('socket.io') <= 1 / 6) : NO_GOAL),
});

function compare({ name: question, title, sides: names, goalOf: reachedGoal }: Comparison): Question {
  return {
    name: question,
    title,
    cases: CASES,
    async answer(context) {
      const sides: Side[] = [];
      for (const name of names) {
        context.progress(`connecting ${CONNECTIONS} clients to ${name}`);
        sides.push(await startSide(name, context, { connections: CONNECTIONS, eventBytes: EVENT_BYTES }));
      }
      const wanted = CASES.filter((name) => context.cases.length === 0 || context.cases.includes(name));
      const rows: Row[] = [];
      for (const name of wanted) rows.push(...(await measureCase(name, sides, context, reachedGoal)));
      await Promise.all(sides.map(endSide));
      return rows;
    },
  };
}

/** Rounds alternate between the servers, so that what else the machine does falls on all of them. */
async function measureCase(
  name: CaseName,
  sides: readonly Side[],
  context: Context,
  reachedGoal: Comparison['goalOf'],
): Promise<Row[]> {
  const rounds = context.quick ? 1 : 3;
  const results = new Map<SideName, RoundResult[]>(sides.map((side) => [side.name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const side of sides) {
      context.progress(`${name}, ${round === 0 ? 'warming up' : `round ${round}`}: ${side.name}`);
      const settings = plan(name, side.name, context.quick);
      const result = await playRound(side, round === 0 ? { ...settings, durationMs: 500 } : settings);
      if (round > 0) results.get(side.name)?.push(result);
    }
  }
  return sides.map((side) => toRow(name, side.name, results, reachedGoal));
}

function toRow(
  name: CaseName,
  side: SideName,
  results: ReadonlyMap<SideName, readonly RoundResult[]>,
  reachedGoal: Comparison['goalOf'],
): Row {
  const of = (what: (result: RoundResult) => number, whose = side) => median((results.get(whose) ?? []).map(what));
  const micros = of((result) => result.serverMicros);
  const perSecond = of((result) => result.perSecond);
  const part = (peer: SideName) => micros / of((result) => result.serverMicros, peer);
  return {
    case: name,
    server: side,
    µs: micros,
    'per CPU-second': 1e6 / micros,
    'reached per second': perSecond,
    ...(results.has('ws') ? { '× ws': part('ws') } : {}),
    '× socket.io': part('socket.io'),
    'per write': of((result) => result.perWrite),
    'client µs': of((result) => result.clientMicros),
    ...(side.startsWith('pregon') ? reachedGoal(name, { micros, perSecond, part }) : NO_GOAL),
  };
}
