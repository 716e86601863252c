import { ratioInterval } from '../against/interval.js';
import { Child } from '../processes/child.js';
import { type Fields, numberOf } from '../processes/messages.js';
import { type Context, goal, type Question, type Row } from '../question.js';
import { median } from '../statistics.js';
import { type Access, type AccessGateway, startAccessGateway, startAccessSide, untilOpen } from './access-sides.js';
import { type Paced, playRound } from './round.js';
import { cpuMicros, endSide } from './sides.js';

const EVENT_BYTES = 200;
const CONNECTIONS = 1_000;
const INTERVAL_MS = 20;

/** Idle connections that expire during a round, and how soon. They are closed within 5 seconds of that. */
const CROWD = { size: 10_000, roundS: 60, expiresInS: 15, expirySpreadS: 40 };
const QUICK_CROWD = { size: 1_000, roundS: 8, expiresInS: 4, expirySpreadS: 2 };

/** Two gateways that are measured in turns: without tokens and rules, and with them. */
interface Pair {
  readonly title: string;
  /** The most that the second may cost, as a multiple of the first. */
  readonly most: number;
  readonly without: () => Promise<number>;
  readonly with: () => Promise<number>;
  readonly end: () => Promise<unknown>;
  /** How often both are measured. */
  readonly rounds: number;
  /** Rounds that do not count, in which code is compiled. */
  readonly warmUp: number;
}

const CASES: Readonly<Record<string, (context: Context) => Promise<readonly Pair[]>>> = {
  /** Rules under which all connections may read the same. */
  equal: async (context) => [await deliveries(context, 'to 1,000 with equal rights', 1.03, 'one', 5, 'equal')],
  /** Rules under which each connection may read a topic of its own, which the other side asks for. */
  own: async (context) => [
    await deliveries(context, 'to 1,000 with rights of their own', 1.3, 'one each', 1_000, 'own'),
  ],
  handshake: (context) =>
    Promise.all([
      handshakes(context, 'a connection with a new token, HS256', 1.4, { rules: 'equal', algorithm: 'HS256' }),
      handshakes(context, 'a connection with a new token, ES256', 1.8, { rules: 'equal', algorithm: 'ES256' }),
    ]),
  expiry: async (context) => [await expiries(context)],
};

export const access: Question = {
  name: 'access',
  title: 'Tokens and rules: CPU time of the gateway, compared with the same without them, in alternating pairs',
  cases: Object.keys(CASES),
  async answer(context) {
    const rows: Row[] = [];
    for (const [name, start] of Object.entries(CASES)) {
      if (context.cases.length > 0 && !context.cases.includes(name)) continue;
      context.progress(`access: starting ${name}`);
      const pairs = await start(context);
      for (const pair of pairs) rows.push(await compare(context, name, pair));
      await Promise.all(pairs.map(({ end }) => end()));
    }
    return rows;
  },
};

/** Plays rounds in the order AB BA: what grows or shrinks meanwhile affects both. */
async function compare({ progress }: Context, name: string, pair: Pair): Promise<Row> {
  const [without, withAccess]: [number[], number[]] = [[], []];
  for (let round = 1 - pair.warmUp; round <= pair.rounds; round++) {
    progress(`access.${name}, ${round <= 0 ? 'warming up' : `round ${round}`}`);
    const turns = [async () => without.push(await pair.without()), async () => withAccess.push(await pair.with())];
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
    if (round > 0) continue;
    without.length = 0;
    withAccess.length = 0;
  }
  const ratios = withAccess.map((value, round) => value / (without[round] ?? Number.NaN));
  const { ratio, low, high } = ratioInterval(ratios);
  return {
    case: pair.title,
    'without, µs': median(without),
    'with, µs': median(withAccess),
    '× without': ratio,
    '95 % from': low,
    to: high,
    // A goal is missed only if the whole interval is above it.
    ...goal(`≤ ${pair.most} × without`, low <= pair.most, `${ratio.toFixed(2)} ×`),
  };
}

function roundsOf({ quick }: Context): Pick<Pair, 'rounds' | 'warmUp'> {
  return { rounds: quick ? 6 : 20, warmUp: 2 };
}

async function deliveries(
  context: Context,
  title: string,
  most: number,
  spread: string,
  batch: number,
  rules: 'equal' | 'own',
): Promise<Pair> {
  const options = { connections: CONNECTIONS, eventBytes: EVENT_BYTES, spread };
  const [plain, limited] = await Promise.all([
    startAccessGateway(context, undefined).then((one) => startAccessSide(one, { ...options, asksTopics: true })),
    startAccessGateway(context, { rules, algorithm: 'HS256' }).then((one) =>
      startAccessSide(one, { ...options, asksTopics: false }),
    ),
  ]);
  const plan: Paced = { kind: 'paced', batch, intervalMs: INTERVAL_MS, durationMs: context.quick ? 400 : 1_000 };
  return {
    title: `a delivery ${title}`,
    most,
    ...roundsOf(context),
    without: async () => (await playRound(plain, plan)).serverMicros,
    with: async () => (await playRound(limited, plan)).serverMicros,
    end: () => Promise.all([endSide(plain), endSide(limited)]),
  };
}

async function handshakes(context: Context, title: string, most: number, rules: Access): Promise<Pair> {
  const load = Child.start('load/client');
  const [plain, limited] = await Promise.all([
    startAccessGateway(context, undefined),
    startAccessGateway(context, rules),
  ]);
  const count = context.quick ? 500 : CONNECTIONS;
  return {
    title,
    most,
    ...roundsOf(context),
    without: () => connectAll(plain, load, count),
    with: () => connectAll(limited, load, count),
    end: () => Promise.all([load.end(), plain.server.end(), limited.server.end()]),
  };
}

/** @returns the CPU time of the server for a connection, from its handshake to its close */
async function connectAll({ server, port, tokens }: AccessGateway, load: Child, count: number): Promise<number> {
  const before = await cpuMicros(server);
  await load.ask('connect', { port, dialect: 'plain', query: '', count, browser: 1, ...tokens });
  await untilOpen(server, count);
  await load.ask('leave');
  await untilOpen(server, 0);
  return ((await cpuMicros(server)) - before) / count;
}

/**
 * Events to 100 connections, beside many idle ones: these stay, or all expire during the round. Compares the delay that
 * 99 % of the deliveries do not exceed, in microseconds.
 */
async function expiries(context: Context): Promise<Pair> {
  // Opening the crowd takes some seconds, and must not take longer than its tokens are valid.
  const { size, roundS, expiresInS, expirySpreadS } = context.quick ? QUICK_CROWD : CROWD;
  const rules: Access = { rules: 'own', algorithm: 'HS256' };
  const gateway = await startAccessGateway(context, rules);
  const side = await startAccessSide(gateway, {
    connections: 100,
    eventBytes: EVENT_BYTES,
    spread: 'one each',
    asksTopics: false,
  });
  const crowd = Child.start('load/crowd');
  const { port, server } = side;
  const round = async (expiring: boolean): Promise<number> => {
    const soon: Fields = expiring ? { expiresInS, expirySpreadS } : {};
    const tokens = { ...gateway.tokens, subject: 'idle-', ...soon };
    await crowd.ask('connect', { port, count: size, ...tokens });
    const plan: Paced = { kind: 'paced', batch: 100, intervalMs: INTERVAL_MS, durationMs: roundS * 1_000 };
    const { figures } = await playRound(side, plan, true);
    await crowd.ask('disconnect');
    await untilOpen(server, side.connections);
    return numberOf(figures, 'p99Micros');
  };
  return {
    title: `the 99th percentile of the delay, while ${size} other connections expire`,
    most: 2,
    rounds: context.quick ? 2 : 3,
    warmUp: 0,
    without: () => round(false),
    with: () => round(true),
    end: () => Promise.all([endSide(side), crowd.end()]),
  };
}
