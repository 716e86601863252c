import { Child } from '../processes/child.js';
import { type Context, goal, NO_GOAL, type Question, type Row } from '../question.js';
import { median } from '../statistics.js';
import { type ConnectSide, startLogging, startQuiet } from './connect-sides.js';

const CONNECTIONS = 1_000;

/** Rounds that do not count, in which code is compiled: a side with more code takes longer. */
const WARM_UP = 4;

/** The goal for the cost of a connection, as a multiple of the cost on `ws`. */
const GOAL = 1.1;

interface Kind {
  readonly server: string;
  readonly dialect: string;
  readonly lines: 'logged' | 'none';
  /** The server that it is compared with, which has the same setting of `lines`. */
  readonly peer?: string;
  readonly start: (context: Context) => Promise<ConnectSide>;
}

const KINDS: readonly Kind[] = [
  { server: 'ws', dialect: 'plain', lines: 'logged', start: startLogging('ws') },
  { server: 'ws, subscribed', dialect: 'pregon.v1', lines: 'logged', start: startLogging('ws') },
  { server: 'pregon run, plain', dialect: 'plain', lines: 'logged', peer: 'ws', start: startLogging('pregon') },
  {
    server: 'pregon run, pregon.v1',
    dialect: 'pregon.v1',
    lines: 'logged',
    peer: 'ws, subscribed',
    start: startLogging('pregon'),
  },
  { server: 'ws', dialect: 'plain', lines: 'none', start: startQuiet('servers/ws-quiet') },
  { server: 'ws, subscribed', dialect: 'pregon.v1', lines: 'none', start: startQuiet('servers/ws-quiet') },
  { server: 'pregon, plain', dialect: 'plain', lines: 'none', peer: 'ws', start: startQuiet('servers/gateway') },
  {
    server: 'pregon, pregon.v1',
    dialect: 'pregon.v1',
    lines: 'none',
    peer: 'ws, subscribed',
    start: startQuiet('servers/gateway'),
  },
  { server: 'pregon, SSE', dialect: 'sse', lines: 'none', peer: 'ws', start: startQuiet('servers/gateway') },
  { server: 'socket.io', dialect: 'socket.io', lines: 'none', start: startQuiet('servers/socketio') },
  {
    server: 'pregon, Socket.IO',
    dialect: 'pregon, Socket.IO',
    lines: 'none',
    peer: 'socket.io',
    start: startQuiet('servers/gateway'),
  },
];

interface Rounds extends Kind {
  readonly side: ConnectSide;
  readonly opening: number[];
  readonly whole: number[];
}

export const connect: Question = {
  name: 'connect',
  title:
    'CPU time of the server for a connection: handshake with the headers of a browser, first frames, close; 100 of them under way at once',
  cases: ['logged', 'none'],
  goalCases: ['logged', 'none'],
  async answer(context) {
    const load = Child.start('load/client');
    const all: Rounds[] = [];
    for (const kind of KINDS) {
      if (context.cases.length > 0 && !context.cases.includes(kind.lines)) continue;
      all.push({ ...kind, side: await kind.start(context), opening: [], whole: [] });
    }
    const rounds = context.quick ? 3 : 9;
    for (let round = 1 - WARM_UP; round <= rounds; round++) {
      for (const one of all) {
        context.progress(`connect, ${round <= 0 ? 'warming up' : `round ${round}`}: ${one.server}`);
        const { opening, whole } = await playRound(one, load);
        if (round <= 0) continue;
        one.opening.push(opening);
        one.whole.push(whole);
      }
    }
    await Promise.all([load.end(), ...all.map(({ side }) => side.end())]);
    return toRows(all);
  },
};

async function playRound({ side, dialect }: Rounds, load: Child): Promise<{ opening: number; whole: number }> {
  const before = await side.cpuMicros();
  await load.ask('connect', { port: side.port, dialect, query: '', count: CONNECTIONS, browser: 1 });
  await side.opened(CONNECTIONS);
  const open = await side.cpuMicros();
  await load.ask('leave');
  await side.closed(CONNECTIONS);
  const after = await side.cpuMicros();
  return { opening: (open - before) / CONNECTIONS, whole: (after - before) / CONNECTIONS };
}

function toRows(all: readonly Rounds[]): Row[] {
  return all.map(({ server, lines, peer, opening, whole }) => {
    const other = all.find((candidate) => candidate.server === peer && candidate.lines === lines);
    // The ratio is taken per round, so that other load on the machine affects both sides equally.
    const ratio = other && median(whole.map((micros, round) => micros / (other.whole[round] ?? Number.NaN)));
    return {
      case: lines === 'logged' ? 'with log lines' : 'without',
      server,
      'µs to open': median(opening),
      'µs, with close': median(whole),
      'per CPU-second': 1e6 / median(whole),
      peer: peer ?? '',
      '× peer': ratio ?? 1,
      ...(ratio === undefined || server.endsWith('SSE') || server.endsWith('Socket.IO')
        ? NO_GOAL
        : goal(`≤ ${GOAL} × ws`, ratio <= GOAL, `${ratio.toFixed(2)} ×`)),
    };
  });
}
