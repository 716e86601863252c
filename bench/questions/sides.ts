import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { findBun } from '../processes/bun.js';
import { Child } from '../processes/child.js';
import { type Fields, numberOf } from '../processes/messages.js';
import { SERVER_FLAGS } from '../processes/server-flags.js';
import type { Context } from '../question.js';
import { audienceSizes, spreadOf } from '../spread.js';

interface Kind {
  /** The name of the dialect of its clients. */
  readonly dialect: string;
  /** A server without a log, which creates its events itself. */
  readonly peer?: string;
  /** The framing around each event on the wire. @default 'none' */
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

/** A server with its clients and its producer, each a process. */
export interface Side {
  readonly name: SideName;
  readonly server: Child;
  /** The publisher if there is a log, else the server itself. */
  readonly producer: Child;
  readonly load: Child;
  /** The port that the server listens on. */
  readonly port: number;
  readonly connections: number;
  /** How many connections get an event, by the remainder of its number. */
  readonly audiences: readonly number[];
  /** The number of the next event. */
  next: number;
}

export interface SideOptions {
  readonly connections: number;
  readonly eventBytes: number;
  /**
   * The name of the spread: the topics of the events and the subscriptions of the connections.
   *
   * @default 'one', a single topic for all
   */
  readonly spread?: string;
}

/** Why there is no such server on this machine; undefined if there is one. */
export function missing(name: SideName): string | undefined {
  const bun = name === 'bun' ? findBun() : undefined;
  return bun && 'missing' in bun ? bun.missing : undefined;
}

export async function startSide(name: SideName, context: Context, options: SideOptions): Promise<Side> {
  const { connections, eventBytes, spread = 'one' } = options;
  const { dialect, peer, around = 'none', flushIntervalMs = 0 }: Kind = KINDS[name];
  const load = Child.start('load/client');
  // A log stores each event id once, and each side numbers its events from 1. So each side needs its own log.
  const log = newLogUrl(context);
  const server = peer === undefined ? Child.start('servers/gateway', context.gatewayArgv) : startPeer(name, peer);
  const producer = peer === undefined ? await startPublisher({ log, eventBytes, spread, connections, around }) : server;
  const port = numberOf(await server.ask('listen', { eventBytes, log, flushIntervalMs }), 'port');
  await load.ask('connect', { port, dialect, query: '', spread, count: connections });
  const { count } = await server.ask('connections');
  if (count !== connections) throw new Error(`${name}: ${count} of ${connections} connections are open`);
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
  if ('missing' in bun) throw new Error(`Bun: ${bun.missing}`);
  return Child.start(module, [], bun.path);
}
