import { Child } from '../processes/child.js';
import { numberOf } from '../processes/messages.js';
import { SERVER_FLAGS } from '../processes/server-flags.js';
import type { Question, Row } from '../question.js';
import { median } from '../statistics.js';
import { cpuMicros, newLogUrl } from './sides.js';

const CONNECTIONS = 1_000;

interface Kind {
  readonly server: string;
  readonly module: string;
  readonly dialect: string;
}

const KINDS: readonly Kind[] = [
  { server: 'pregon, plain', module: 'servers/gateway', dialect: 'plain' },
  { server: 'pregon, pregon.v1', module: 'servers/gateway', dialect: 'pregon.v1' },
  { server: 'pregon, SSE', module: 'servers/gateway', dialect: 'sse' },
  { server: 'pregon, Socket.IO', module: 'servers/gateway', dialect: 'pregon, Socket.IO' },
  { server: 'ws', module: 'servers/ws', dialect: 'plain' },
  { server: 'socket.io', module: 'servers/socketio', dialect: 'socket.io' },
];

interface Rounds extends Kind {
  readonly child: Child;
  readonly port: number;
  readonly micros: number[];
}

export const connect: Question = {
  name: 'connect',
  title: 'CPU time of the server for a new connection, with its subscription, 100 of them under way at once',
  cases: [],
  goalCases: [],
  async answer(context) {
    const load = Child.start('load/client');
    const all: Rounds[] = [];
    for (const kind of KINDS) {
      const child = Child.start(kind.module, kind.module === 'servers/gateway' ? context.gatewayArgv : SERVER_FLAGS);
      const { port } = await child.ask('listen', { log: newLogUrl(context), eventBytes: 200 });
      all.push({ ...kind, child, port: numberOf({ port: port ?? '' }, 'port'), micros: [] });
    }
    for (let round = 0; round <= (context.quick ? 1 : 5); round++) {
      for (const one of all) {
        context.progress(`connect, ${round === 0 ? 'warming up' : `round ${round}`}: ${one.server}`);
        const micros = await playRound(one, load);
        if (round > 0) one.micros.push(micros);
      }
    }
    await Promise.all([load, ...all.map(({ child }) => child)].map((child) => child.end()));
    return toRows(all);
  },
};

async function playRound({ child, port, dialect, server }: Rounds, load: Child): Promise<number> {
  const before = await cpuMicros(child);
  await load.ask('connect', { port, dialect, query: '', count: CONNECTIONS });
  const { count } = await child.ask('connections');
  const after = await cpuMicros(child);
  if (count !== CONNECTIONS) throw new Error(`${server}: ${count} of ${CONNECTIONS} connections`);
  await load.ask('disconnect');
  while ((await child.ask('connections'))['count'] !== 0) await new Promise((resolve) => setTimeout(resolve, 20));
  return (after - before) / CONNECTIONS;
}

function toRows(all: readonly Rounds[]): Row[] {
  const of = (wanted: string) => median(all.find(({ server }) => server === wanted)?.micros ?? []);
  return all.map(({ server }) => ({
    server,
    'µs for a connection': of(server),
    'per CPU-second': 1e6 / of(server),
    '× ws': of(server) / of('ws'),
    '× socket.io': of(server) / of('socket.io'),
  }));
}
