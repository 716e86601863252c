import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { findBun } from '../processes/bun.js';
import { Child } from '../processes/child.js';
import { type Fields, numberOf } from '../processes/messages.js';
import { SERVER_FLAGS } from '../processes/server-flags.js';
import type { Context } from '../question.js';
import { audienceSizes, spreadOf } from '../spread.js';

interface Kind {
  /** How its clients talk, by the name of the dialect. */
  readonly dialect: string;
  /** A server without a log, which makes its events itself. */
  readonly peer?: string;
  /** What is around each event on the wire. @default 'none' */
  readonly around?: 'none' | 'socket.io' | 'sse';
  /** @default 0 */
  readonly flushIntervalMs?: number;
}

const KINDS = {
  pregon: { dialect: 'plain' },
  'pregon, 10 ms': { dialect: 'plain', flushIntervalMs: 10 },
  'pregon, pregon.v1': { dialect: 'pregon.v1' },
  'pregon, SSE': { dialect: 'sse', around: 'sse' },
  'pregon, Socket.IO': { dialect: 'pregon, Socket.IO', around: 'socket.io' },
  ws: { dialect: 'plain', peer: 'servers/ws' },
  'socket.io': { dialect: 'socket.io', peer: 'servers/socketio' },
  bun: { dialect: 'plain', peer: 'servers/bun' },
} as const satisfies Readonly<Record<string, Kind>>;

export type SideName = keyof typeof KINDS;

/** A server with its clients, and whoever makes its events; each a process. */
export interface Side {
  readonly name: SideName;
  readonly server: Child;
  /** The publisher, where there is a log; else the server itself. */
  readonly producer: Child;
  readonly load: Child;
  /** Where the server listens. */
  readonly port: number;
  readonly connections: number;
  /** To how many of the connections an event goes, by the remainder of its number. */
  readonly audiences: readonly number[];
  /** The number of the next event. */
  next: number;
}

export interface SideOptions {
  readonly connections: number;
  readonly eventBytes: number;
  /** Name of what the events' topics are, and who wants them. @default 'one' topic, which all want */
  readonly spread?: string;
}

/** Why there is no such server on this machine; undefined where there is. */
export function missing(name: SideName): string | undefined {
  const bun = name === 'bun' ? findBun() : undefined;
  return bun && 'missing' in bun ? bun.missing : undefined;
}

export async function startSide(name: SideName, context: Context, options: SideOptions): Promise<Side> {
  const { connections, eventBytes, spread = 'one' } = options;
  const { dialect, peer, around = 'none', flushIntervalMs = 0 }: Kind = KINDS[name];
  const load = Child.start('load/client');
  // An event is stored once by its id, and each side counts from 1: each has a log of its own.
  const log = newLogUrl(context);
  const server = peer === undefined ? Child.start('servers/gateway', context.gatewayArgv) : startPeer(name, peer);
  const producer = peer === undefined ? await startPublisher({ log, eventBytes, spread, connections, around }) : server;
  const port = numberOf(await server.ask('listen', { eventBytes, log, flushIntervalMs }), 'port');
  await load.ask('connect', { port, dialect, query: '', spread, count: connections });
  const { count } = await server.ask('connections');
  if (count !== connections) throw new Error(`${name}: ${count} of ${connections} connections`);
  const audiences = audienceSizes(spreadOf(spread), connections);
  return { name, server, producer, load, port, connections, audiences, next: 1 };
}

export async function endSide({ server, producer, load }: Side): Promise<void> {
  await Promise.all([...new Set([server, producer, load])].map((child) => child.end()));
}

/** CPU time that a process has used, in microseconds. */
export async function cpuMicros(child: Child): Promise<number> {
  return numberOf(await child.ask('cpu'), 'cpuMicros');
}

export function newLogUrl({ folder }: Context): string {
  return `sqlite:${join(mkdtempSync(join(folder, 'log-')), 'pregon.db')}`;
}

async function startPublisher(fields: Fields): Promise<Child> {
  const producer = Child.start('servers/publisher');
  await producer.ask('open', fields);
  return producer;
}

function startPeer(name: SideName, module: string): Child {
  if (name !== 'bun') return Child.start(module, SERVER_FLAGS);
  const bun = findBun();
  if ('missing' in bun) throw new Error(`bun: ${bun.missing}`);
  return Child.start(module, [], bun.path);
}
