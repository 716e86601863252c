import { LAST_TOPIC, ROUTES } from '../names.js';
import { CollectionFollower } from './followers/collection-follower.js';
import type { Follower, FollowerOptions, Pausable, Surroundings } from './followers/follower.js';
import { FramesFollower } from './followers/frames-follower.js';
import { PlainFollower } from './followers/plain-follower.js';
import { SocketIoFollower } from './followers/socketio-follower.js';
import { StreamFollower } from './followers/stream-follower.js';
import { FramesClient } from './frames-client.js';

/** Followers, and access to the connections that are paused to make some of them slow. */
export interface Cast {
  readonly followers: Follower[];
  readonly slow: (() => Pausable | undefined)[];
}

const ALL = ['#'];
const IDLE = ['rare.#', LAST_TOPIC];
const SOME_ACCOUNTS = ['account.001.#', 'account.*.none', 'account.007.changed', LAST_TOPIC];
const NEW_ORDERS = ['order.*.placed', LAST_TOPIC];

/** Followers that stay from the beginning of the run to its end. */
export function permanentCast(around: Surroundings): Cast {
  const cast: Cast = { followers: [], slow: [] };
  addPlain(cast, around);
  addStreams(cast, around);
  addFrames(cast, around);
  addCollections(cast, around);
  addSocketIo(cast, around);
  return cast;
}

function addPlain({ followers, slow }: Cast, around: Surroundings): void {
  const slowOne = new PlainFollower(fromFirst('plain-slow', ALL), around);
  slow.push(() => slowOne.socket);
  followers.push(
    slowOne,
    new PlainFollower(fromFirst('plain-all-1', ALL), around),
    new PlainFollower(fromFirst('plain-all-2', ALL), around),
    new PlainFollower(fromFirst('plain-idle', IDLE), around),
    new PlainFollower(fromFirst('plain-accounts', SOME_ACCOUNTS, ROUTES.accounts.path), around),
  );
}

function addStreams({ followers, slow }: Cast, around: Surroundings): void {
  const slowOne = new StreamFollower(fromFirst('stream-slow', ALL), around);
  slow.push(() => slowOne.gate);
  followers.push(
    slowOne,
    new StreamFollower(fromFirst('stream-all', ALL), around),
    new StreamFollower(fromFirst('stream-idle', IDLE), around),
    new StreamFollower(fromFirst('stream-orders', NEW_ORDERS, ROUTES.orders.path), around),
  );
}

function addFrames({ followers, slow }: Cast, around: Surroundings): void {
  // Two subscriptions on one connection that share some events.
  const two = new FramesClient(ROUTES.events.path, around);
  const slowOne = new FramesClient(ROUTES.events.path, around);
  const idle = new FramesClient(ROUTES.events.path, around);
  slow.push(() => slowOne.socket);
  followers.push(
    new FramesFollower(fromFirst('frames-all', ALL), two, around),
    new FramesFollower(fromFirst('frames-orders', NEW_ORDERS), two, around),
    new FramesFollower(fromFirst('frames-slow', ALL), slowOne, around),
    new FramesFollower(fromFirst('frames-idle', IDLE), idle, around),
  );
}

function addCollections({ followers, slow }: Cast, around: Surroundings): void {
  const accounts = new FramesClient(ROUTES.accounts.path, around);
  const orders = new FramesClient(ROUTES.orders.path, around);
  slow.push(() => orders.socket);
  followers.push(
    collectionOf('accounts', 'collection-accounts', accounts, around),
    new FramesFollower(fromFirst('frames-accounts', SOME_ACCOUNTS, ROUTES.accounts.path), accounts, around),
    collectionOf('orders', 'collection-orders-slow', orders, around),
  );
}

function addSocketIo({ followers, slow }: Cast, around: Surroundings): void {
  const stock = (
    name: string,
    topics: readonly string[],
    transports: readonly ('polling' | 'websocket')[],
    listensTo: 'event' | 'types' = 'event',
  ) => new SocketIoFollower({ ...fromFirst(`socketio-${name}`, topics), transports, listensTo }, around);
  const slowOne = stock('slow', ALL, ['websocket']);
  slow.push(() => slowOne.pausable);
  followers.push(
    slowOne,
    stock('websocket', ALL, ['websocket']),
    stock('types', ALL, ['websocket'], 'types'),
    stock('polling', ALL, ['polling']),
    stock('upgrading', NEW_ORDERS, ['polling', 'websocket']),
    stock('idle', IDLE, ['polling', 'websocket']),
    stock('idle-polling', IDLE, ['polling']),
  );
}

/** A follower that joins during the run: with a snapshot, or from a position that another follower received. */
export function newcomer(
  name: string,
  known: { id: string; position: string } | undefined,
  around: Surroundings,
): Follower {
  const { random } = around;
  if (known === undefined || random.chance(0.5)) {
    const table = random.pick(['accounts', 'orders'] as const);
    return collectionOf(table, `${name}-${table}`, new FramesClient(ROUTES[table].path, around), around);
  }
  const from = { path: ROUTES.events.path, since: known.position, beginning: { after: known.id } };
  const topics = random.pick([ALL, NEW_ORDERS, SOME_ACCOUNTS]);
  switch (random.pick(['plain', 'stream', 'frames', 'socketio'] as const)) {
    case 'plain':
      return new PlainFollower({ name: `${name}-plain`, topics, ...from }, around);
    case 'stream':
      return new StreamFollower({ name: `${name}-stream`, topics, ...from }, around);
    case 'socketio': {
      const transports = random.pick([['websocket'], ['polling'], ['polling', 'websocket']] as const);
      const listensTo = random.pick(['event', 'types'] as const);
      return new SocketIoFollower({ name: `${name}-socketio`, topics, transports, listensTo, ...from }, around);
    }
    case 'frames': {
      const client = new FramesClient(ROUTES.events.path, around);
      return new FramesFollower({ name: `${name}-frames`, topics, ...from }, client, around);
    }
  }
}

function fromFirst(name: string, topics: readonly string[], path: string = ROUTES.events.path): FollowerOptions {
  return { name, path, topics, since: 'first', beginning: 'first' };
}

function collectionOf(
  table: 'accounts' | 'orders',
  name: string,
  client: FramesClient,
  around: Surroundings,
): CollectionFollower {
  return new CollectionFollower({ name, table, topics: ROUTES[table].topics }, client, around);
}
