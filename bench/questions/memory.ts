import { Child } from '../processes/child.js';
import { numberOf } from '../processes/messages.js';
import { type Context, goal, NO_GOAL, type Question, type Row } from '../question.js';
import { newLogUrl } from './sides.js';

/** Connections that are there before it is counted: what the first ones cost is code and pools, paid once. */
const FIRST = 500;
const MOST = 5_000;
/** File descriptors that a process needs beside its connections. */
const OTHER_FILES = 200;
const SETTLE_MS = 400;

interface Kind {
  readonly server: string;
  readonly module: string;
  readonly dialect: string;
  readonly mostBytes?: number;
}

const KINDS: readonly Kind[] = [
  { server: 'pregon, plain', module: 'servers/gateway', dialect: 'plain', mostBytes: 7_168 },
  { server: 'pregon, pregon.v1', module: 'servers/gateway', dialect: 'pregon.v1' },
  { server: 'ws', module: 'servers/ws', dialect: 'ws' },
  { server: 'socket.io', module: 'servers/socketio', dialect: 'socket.io' },
];

export const memory: Question = {
  name: 'memory',
  title: 'Resident memory of the server for one idle connection, without the kernel’s',
  cases: [],
  async answer(context) {
    const connections = Math.min(context.quick ? 2_000 : MOST, openFilesLimit() - FIRST - OTHER_FILES);
    const rows: Row[] = [];
    for (const kind of KINDS) rows.push(await measureKind(kind, connections, context));
    return rows;
  },
};

async function measureKind(kind: Kind, connections: number, context: Context): Promise<Row> {
  context.progress(`memory: ${connections} connections to ${kind.server}`);
  const server = Child.start(kind.module, ['--expose-gc']);
  const load = Child.start('load/client');
  const { port = 0 } = await server.ask('listen', { log: newLogUrl(context), eventBytes: 200 });
  const connect = (count: number) => load.ask('connect', { port, dialect: kind.dialect, query: '', count });
  await connect(FIRST);
  const before = await settledBytes(server);
  await connect(connections);
  const bytes = ((await settledBytes(server)) - before) / connections;
  await Promise.all([server.end(), load.end()]);
  const { mostBytes } = kind;
  return {
    server: kind.server,
    connections,
    'KiB per connection': bytes / 1_024,
    ...(mostBytes === undefined ? NO_GOAL : goal(`≤ ${mostBytes / 1_024} KiB`, bytes <= mostBytes)),
  };
}

async function settledBytes(server: Child): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  return numberOf(await server.ask('memory'), 'rssBytes');
}

/** How many files one process may have open; each connection is one. */
function openFilesLimit(): number {
  const report: unknown = process.report?.getReport();
  const limits = isRecord(report) ? report['userLimits'] : undefined;
  const files = isRecord(limits) ? limits['open_files'] : undefined;
  const soft = isRecord(files) ? Number(files['soft']) : Number.NaN;
  return Number.isFinite(soft) ? soft : Number.POSITIVE_INFINITY;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
