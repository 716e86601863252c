import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from '../processes/child.js';
import { type Fields, numberOf } from '../processes/messages.js';
import type { Context } from '../question.js';
import { audienceSizes, spreadOf } from '../spread.js';

export type SideName = 'pregon' | 'pregon, Socket.IO' | 'ws' | 'socket.io';

/** A server with its clients, and whoever makes its events; each a process. */
export interface Side {
  readonly name: SideName;
  readonly server: Child;
  /** The publisher, where there is a log; else the server itself. */
  readonly producer: Child;
  readonly load: Child;
  readonly connections: number;
  /** To how many of the connections an event goes, by the remainder of its number. */
  readonly audiences: readonly number[];
  /** The number of the next event. */
  next: number;
}

type Processes = Pick<Side, 'server' | 'producer'>;

export interface SideOptions {
  readonly connections: number;
  readonly eventBytes: number;
  /** Name of what the events' topics are, and who wants them. @default 'one' topic, which all want */
  readonly spread?: string;
}

export async function startSide(name: SideName, context: Context, options: SideOptions): Promise<Side> {
  const { connections, eventBytes, spread = 'one' } = options;
  const load = Child.start('load/client');
  // An event is stored once by its id, and each side counts from 1: each has a log of its own.
  const log = newLogUrl(context);
  const { server, producer } =
    name === 'ws' || name === 'socket.io'
      ? startPeer(name)
      : await startPregon(name, context, { log, eventBytes, spread, connections });
  const { port = 0 } = await server.ask('listen', { eventBytes, log });
  const dialect = name === 'pregon' ? 'plain' : name;
  await load.ask('connect', { port, dialect, query: '', spread, count: connections });
  const { count } = await server.ask('connections');
  if (count !== connections) throw new Error(`${name}: ${count} of ${connections} connections`);
  const audiences = audienceSizes(spreadOf(spread), connections);
  return { name, server, producer, load, connections, audiences, next: 1 };
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

async function startPregon(name: SideName, context: Context, fields: Fields): Promise<Processes> {
  const producer = Child.start('servers/publisher');
  await producer.ask('open', { ...fields, packets: name === 'pregon' ? 'none' : 'socket.io' });
  return { server: Child.start('servers/gateway', context.gatewayArgv), producer };
}

function startPeer(name: 'ws' | 'socket.io'): Processes {
  const server = Child.start(name === 'ws' ? 'servers/ws' : 'servers/socketio');
  return { server, producer: server };
}
