import { Child } from '../processes/child.js';
import { numberOf } from '../processes/messages.js';
import { SERVER_FLAGS } from '../processes/server-flags.js';
import { type Context, type GoalLine, goals, NO_GOAL, type Question, type Row } from '../question.js';
import { median } from '../statistics.js';
import { formatCell } from '../table.js';
import { type Paced, playInTurns, type RoundResult, roundMs } from './round.js';
import { endSide, newLogUrl, type Side } from './sides.js';

const CONNECTIONS = 1_000;
const MOST_MICROS = 1.2;
const MOST_BYTES = 0.4;

interface Kind {
  readonly server: string;
  readonly path: string;
  readonly protocol?: string;
  readonly peer?: boolean;
  readonly hasGoal?: boolean;
}

const PLAIN: Kind = { server: 'pregon, plain', path: '/plain' };

const KINDS: readonly Kind[] = [
  PLAIN,
  { server: 'pregon, compressed once', path: '/compressed', hasGoal: true },
  { server: 'pregon.v1, a flush compressed once', path: '/compressed', protocol: 'pregon.v1', hasGoal: true },
  { server: 'ws, for each connection', path: '/', peer: true },
];

type CaseName = 'paced' | 'burst';
const CASES: readonly CaseName[] = ['paced', 'burst'];

/** A server that compresses per connection gets a twentieth of the load, which it can sustain. */
function plan(name: CaseName, { peer }: Kind, context: Context): Paced {
  const durationMs = roundMs(context);
  const slower = peer ? 20 : 1;
  return name === 'paced'
    ? { kind: 'paced', batch: 1, intervalMs: 10 * slower, durationMs }
    : { kind: 'paced', batch: 5, intervalMs: 10 * slower * 5, durationMs };
}

/** Each side has its own log, publisher and clients, and the same number of connections. */
export const compressed: Question = {
  name: 'compressed',
  title: `Orders of 1 KB to ${CONNECTIONS} connections, one at a time and five at a time: CPU time of the server and bytes for one delivery`,
  cases: CASES,
  async answer(context) {
    const cases = CASES.filter((name) => context.cases.length === 0 || context.cases.includes(name));
    const sides: Side[] = [];
    for (const kind of KINDS) {
      context.progress(`compressed: connecting ${CONNECTIONS} clients to ${kind.server}`);
      sides.push(await startSide(kind, context));
    }
    const turns = cases.flatMap((name) =>
      KINDS.flatMap((kind, index) => {
        const side = sides[index];
        const title = `compressed: ${name}, ${kind.server}`;
        return side ? [{ name, kind, title, side, plan: plan(name, kind, context) }] : [];
      }),
    );
    const results = await playInTurns(context, turns);
    await Promise.all(sides.map(endSide));
    const resultsOf = (name: CaseName, kind: Kind) =>
      results[turns.findIndex((turn) => turn.name === name && turn.kind === kind)] ?? [];
    return turns.map(({ name, kind }) => toRow(name, kind, resultsOf(name, kind), resultsOf(name, PLAIN)));
  },
};

async function startSide({ path, protocol = '', peer = false }: Kind, context: Context): Promise<Side> {
  const log = newLogUrl(context);
  const load = Child.start('load/same-client');
  const server = peer
    ? Child.start('servers/orders-ws', SERVER_FLAGS)
    : Child.start('servers/compressing-gateway', context.gatewayArgv);
  const producer = peer ? server : Child.start('servers/orders-publisher');
  if (!peer) await producer.ask('open', { log, connections: CONNECTIONS });
  const port = numberOf(await server.ask('listen', { log }), 'port');
  await load.ask('connect', { port, path, protocol, count: CONNECTIONS });
  const name = peer ? 'ws' : 'pregon';
  return { name, server, producer, load, port, connections: CONNECTIONS, audiences: [CONNECTIONS], next: 1 };
}

function toRow(
  name: CaseName,
  { server, hasGoal }: Kind,
  results: readonly RoundResult[],
  plain: readonly RoundResult[],
): Row {
  const micros = median(results.map(({ serverMicros }) => serverMicros));
  const bytes = median(results.map(wireBytes));
  const partOfMicros = micros / median(plain.map(({ serverMicros }) => serverMicros));
  const partOfBytes = bytes / median(plain.map(wireBytes));
  const lines: GoalLine[] = [
    line(`≤ ${MOST_MICROS} × plain in CPU`, partOfMicros, MOST_MICROS),
    line(`≤ ${MOST_BYTES} × plain in bytes`, partOfBytes, MOST_BYTES),
  ];
  return {
    case: name,
    server,
    µs: micros,
    '× plain': partOfMicros,
    bytes,
    '× plain in bytes': partOfBytes,
    'per write': median(results.map(({ perWrite }) => perWrite)),
    'client µs': median(results.map(({ clientMicros }) => clientMicros)),
    ...(hasGoal ? goals(lines) : NO_GOAL),
  };
}

function line(goal: string, measured: number, most: number): GoalLine {
  return { goal, measured: `${formatCell(measured)} ×`, met: measured <= most };
}

/** The bytes per delivery, including frame headers. */
function wireBytes({ figures, deliveries }: RoundResult): number {
  return numberOf(figures, 'wireBytes') / deliveries;
}
