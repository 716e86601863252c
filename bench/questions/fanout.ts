import { type Context, type GoalLine, goals, NO_GOAL, type Question, type Row } from '../question.js';
import { median } from '../statistics.js';
import { formatCell } from '../table.js';
import { type Paced, playInTurns, type RoundResult, roundMs, type Saturated } from './round.js';
import { endSide, missing, type Side, type SideName, startSide } from './sides.js';

const CONNECTIONS = 1_000;
const EVENT_BYTES = 200;

type CaseName = 'paced' | 'paced10' | 'burst' | 'saturated';

interface Comparison {
  readonly name: string;
  readonly title: string;
  /** The sides in each case; the goals apply to the first one. */
  readonly cases: Partial<Readonly<Record<CaseName, readonly SideName[]>>>;
  /** The peers that each side is compared with, one column per peer. */
  readonly peers: readonly SideName[];
  readonly goalCases?: readonly CaseName[];
  readonly goalsOf?: (name: CaseName, reached: Reached) => readonly GoalLine[];
}

interface Reached {
  readonly micros: number;
  readonly perSecond: number;
  /** CPU time per delivery as a fraction of a peer's; NaN if the peer was not measured. */
  readonly part: (peer: SideName) => number;
}

const ALL: readonly SideName[] = ['pregon', 'ws', 'socket.io', 'bun'];
const TRANSPORTS: readonly SideName[] = ['pregon', 'pregon, pregon.v1', 'pregon, SSE'];
const SOCKET_IO: readonly SideName[] = ['pregon, Socket.IO', 'socket.io'];

export const fanout = compare({
  name: 'fanout',
  title: `One event of ${EVENT_BYTES} bytes to ${CONNECTIONS} connections: CPU time of the server for one delivery`,
  cases: { paced: ALL, paced10: ['pregon, 10 ms', 'bun'], burst: ALL, saturated: ALL },
  peers: ['ws', 'socket.io', 'bun'],
  goalsOf: fanoutGoals,
});

export const transports = compare({
  name: 'transports',
  title: `The same by the gateway's transports, ${CONNECTIONS} connections each`,
  cases: { paced: TRANSPORTS, burst: TRANSPORTS, saturated: TRANSPORTS },
  peers: ['pregon'],
  goalCases: [],
});

export const socketIo = compare({
  name: 'socketio',
  title: `The same to ${CONNECTIONS} clients of Socket.IO`,
  cases: { paced: SOCKET_IO, burst: SOCKET_IO, saturated: SOCKET_IO },
  peers: ['socket.io'],
  goalCases: ['burst'],
  goalsOf: (name, { part }) => (name === 'burst' ? [times(6, 'socket.io', part)] : []),
});

/** The plan of each round. A server with a queue per client gets a window just large enough to keep it busy. */
function plan(name: CaseName, side: SideName, durationMs: number): Paced | Saturated {
  switch (name) {
    case 'paced':
      return { kind: 'paced', batch: 1, intervalMs: 10, durationMs };
    case 'paced10':
      return { kind: 'paced', batch: 1, intervalMs: 5, durationMs };
    case 'burst':
      return { kind: 'paced', batch: 5, intervalMs: 5, durationMs };
    case 'saturated':
      return side === 'ws' || side === 'socket.io'
        ? { kind: 'saturated', batch: 10, window: 60, durationMs }
        : { kind: 'saturated', batch: 500, window: 4_000, durationMs };
  }
}

function fanoutGoals(name: CaseName, { micros, perSecond, part }: Reached): readonly GoalLine[] {
  switch (name) {
    case 'paced':
      return [cost(micros, 6.2), share(0.85, 'ws', part)];
    case 'paced10':
      return [share(0.6, 'bun', part)];
    case 'burst':
      return [
        cost(micros, 1.15),
        { goal: '≥ 950,000/s', measured: `${formatCell(perSecond)}/s`, met: perSecond >= 950_000 },
        times(6, 'ws', part),
        times(6, 'socket.io', part),
      ];
    case 'saturated': {
      const perCpuSecond = 1e6 / micros;
      return [
        { goal: '≥ 8M per CPU-second', measured: formatCell(perCpuSecond), met: perCpuSecond >= 8e6 },
        times(40, 'socket.io', part),
        times(1.8, 'bun', part),
      ];
    }
  }
}

function cost(micros: number, most: number): GoalLine {
  return { goal: `≤ ${most} µs`, measured: `${formatCell(micros)} µs`, met: micros <= most };
}

/** Goal: at most this fraction of the peer's CPU time. */
function share(most: number, peer: SideName, part: Reached['part']): GoalLine {
  return judged(`≤ ${most} × ${peer}`, peer, part, (one) => ({ measured: formatCell(one), met: one <= most }));
}

/** Goal: at least this many times the peer's deliveries for the same CPU time. */
function times(least: number, peer: SideName, part: Reached['part']): GoalLine {
  const judge = (one: number) => ({ measured: `${formatCell(1 / one)} ×`, met: 1 / one >= least });
  return judged(`≥ ${least} × ${peer}`, peer, part, judge);
}

function judged(
  goal: string,
  peer: SideName,
  part: Reached['part'],
  judge: (part: number) => { measured: string; met: boolean },
): GoalLine {
  const why = missing(peer);
  if (why !== undefined) return { goal, measured: `${peer}: skipped: ${why}`, met: undefined };
  return { goal, ...judge(part(peer)) };
}

function compare(comparison: Comparison): Question {
  const { name, title, cases, goalCases } = comparison;
  const names = (['paced', 'paced10', 'burst', 'saturated'] as const).filter((one) => cases[one] !== undefined);
  return {
    name,
    title,
    cases: names,
    ...(goalCases ? { goalCases } : {}),
    async answer(context) {
      const wanted = names.filter((one) => context.cases.length === 0 || context.cases.includes(one));
      const sides = await startSides(new Set(wanted.flatMap((one) => cases[one] ?? [])), context);
      const rows: Row[] = [];
      for (const one of wanted) rows.push(...(await measureCase(one, comparison, sides, context)));
      await Promise.all([...sides.values()].map(endSide));
      return rows;
    },
  };
}

async function startSides(names: Iterable<SideName>, context: Context): Promise<Map<SideName, Side>> {
  const present = [...names].filter((name) => missing(name) === undefined);
  context.progress(`connecting ${CONNECTIONS} clients to each of ${present.join('; ')}`);
  const options = { connections: CONNECTIONS, eventBytes: EVENT_BYTES };
  const sides = await Promise.all(present.map((name) => startSide(name, context, options)));
  return new Map(sides.map((side) => [side.name, side]));
}

async function measureCase(
  name: CaseName,
  { cases, peers, goalsOf }: Comparison,
  sides: ReadonlyMap<SideName, Side>,
  context: Context,
): Promise<Row[]> {
  const names = cases[name] ?? [];
  const turns = names.flatMap((one) => {
    const side = sides.get(one);
    return side ? [{ title: `${name}: ${one}`, side, plan: plan(name, one, roundMs(context)) }] : [];
  });
  const played = await playInTurns(context, turns);
  const results = new Map(turns.map(({ side }, index) => [side.name, played[index] ?? []]));
  return names.map((one) => toRow(name, one, peers, results, one === names[0] ? goalsOf : undefined));
}

function toRow(
  name: CaseName,
  server: SideName,
  peers: readonly SideName[],
  results: ReadonlyMap<SideName, readonly RoundResult[]>,
  goalsOf: Comparison['goalsOf'],
): Row {
  const of = (what: (result: RoundResult) => number, whose = server) => {
    const values = (results.get(whose) ?? []).map(what);
    return values.length === 0 ? Number.NaN : median(values);
  };
  const micros = of((result) => result.serverMicros);
  const perSecond = of((result) => result.perSecond);
  const part = (peer: SideName) => micros / of((result) => result.serverMicros, peer);
  const lines = goalsOf?.(name, { micros, perSecond, part }) ?? [];
  const why = missing(server);
  return {
    case: name,
    server: why === undefined ? server : `${server}: skipped: ${why}`,
    µs: micros,
    'per CPU-second': 1e6 / micros,
    'reached per second': perSecond,
    ...Object.fromEntries(peers.map((peer) => [`× ${peer}`, part(peer)])),
    // Bun calls send(2), which Linux does not include in its count of writes.
    'per write': server === 'bun' ? Number.NaN : of((result) => result.perWrite),
    'client µs': of((result) => result.clientMicros),
    ...(lines.length > 0 ? goals(lines) : NO_GOAL),
  };
}
