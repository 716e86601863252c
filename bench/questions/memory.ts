import { Child } from '../processes/child.js';
import { numberOf } from '../processes/messages.js';
import { SERVER_FLAGS } from '../processes/server-flags.js';
import { type Context, goal, NO_GOAL, type Question, type Row } from '../question.js';
import { median } from '../statistics.js';
import { formatCell } from '../table.js';
import { newLogUrl } from './sides.js';

const MOST = 10_000;
/** File descriptors that a process needs in addition to its connections. */
const OTHER_FILES = 200;
const SETTLE_MS = 400;

/** V8 shrinks a grown young generation only after the process was idle for a while, as idle connections leave it. */
const IDLE_MS = 40_000;

interface Kind {
  readonly server: string;
  readonly module: string;
  readonly dialect: string;
  readonly mostBytes?: number;
}

const KINDS: readonly Kind[] = [
  { server: 'pregon, plain', module: 'servers/gateway', dialect: 'plain', mostBytes: 7_000 },
  { server: 'pregon, pregon.v1', module: 'servers/gateway', dialect: 'pregon.v1' },
  { server: 'pregon, Socket.IO', module: 'servers/gateway', dialect: 'pregon, Socket.IO', mostBytes: 17_000 },
  { server: 'ws', module: 'servers/ws', dialect: 'ws' },
  { server: 'socket.io', module: 'servers/socketio', dialect: 'socket.io' },
];

export const memory: Question = {
  name: 'memory',
  title: 'Resident memory of the server for one idle connection, without the kernel’s',
  cases: [],
  async answer(context) {
    const connections = Math.min(context.quick ? 2_000 : MOST, openFilesLimit() - OTHER_FILES);
    const rounds = context.quick ? 1 : 3;
    const measured = KINDS.map((): Measured[] => []);
    for (let round = 0; round < rounds; round++) {
      const idleMs = round === 0 && !context.quick ? IDLE_MS : 0;
      for (const [index, kind] of KINDS.entries()) {
        measured[index]?.push(await measure(kind, { connections, idleMs }, context));
      }
    }
    return KINDS.map((kind, index) => toRow(kind, connections, measured[index] ?? []));
  },
};

interface Measured {
  readonly bytes: number;
  /** The same after an idle time, if there was one. */
  readonly idleBytes: number | undefined;
}

/**
 * Measures in a new process each time. One-time growth of the server is divided among the connections, so fewer
 * connections seem to cost more.
 */
async function measure(
  kind: Kind,
  { connections, idleMs }: { connections: number; idleMs: number },
  context: Context,
): Promise<Measured> {
  context.progress(`memory: ${connections} connections to ${kind.server}`);
  const server = Child.start(kind.module, [...SERVER_FLAGS, '--expose-gc']);
  const load = Child.start('load/client');
  const { port = 0 } = await server.ask('listen', { log: newLogUrl(context), eventBytes: 200 });
  const before = await settledBytes(server);
  await load.ask('connect', { port, dialect: kind.dialect, query: '', count: connections });
  const after = await settledBytes(server);
  const idle = idleMs > 0 ? await idleBytes(server, idleMs) : undefined;
  await Promise.all([server.end(), load.end()]);
  return {
    bytes: (after - before) / connections,
    idleBytes: idle === undefined ? undefined : (idle - before) / connections,
  };
}

function toRow({ server, mostBytes }: Kind, connections: number, measured: readonly Measured[]): Row {
  const bytes = median(measured.map((one) => one.bytes));
  return {
    server,
    connections,
    'bytes per connection': bytes,
    [`after ${IDLE_MS / 1_000} s`]: measured[0]?.idleBytes ?? '',
    ...(mostBytes === undefined
      ? NO_GOAL
      : goal(`≤ ${mostBytes.toLocaleString('en-US')} bytes`, bytes <= mostBytes, `${formatCell(bytes)} bytes`)),
  };
}

async function settledBytes(server: Child): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  return numberOf(await server.ask('memory'), 'rssBytes');
}

/** Resident memory without a requested garbage collection. */
async function idleBytes(server: Child, idleMs: number): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, idleMs));
  return numberOf(await server.ask('resident'), 'rssBytes');
}

/** How many files a process may have open; each connection counts as one. */
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
