import { LAST_TOPIC, ROUTES } from '../names.js';
import { RIGHTS, type Rights } from '../rights.js';
import { CollectionFollower } from './followers/collection-follower.js';
import type { Follower, FollowerOptions, Pausable, Surroundings } from './followers/follower.js';
import { FramesFollower } from './followers/frames-follower.js';
import { PlainFollower } from './followers/plain-follower.js';
import { SocketIoFollower } from './followers/socketio-follower.js';
import { StreamFollower } from './followers/stream-follower.js';
import { FramesClient, type Shown } from './frames-client.js';

/** Followers, and access to the connections that are paused to make some of them slow. */
export interface Cast {
  readonly followers: Follower[];
  readonly slow: (() => Pausable | undefined)[];
}

const ALL = ['#'];
const IDLE = ['rare.#', LAST_TOPIC];
const SOME_ACCOUNTS = ['account.001.#', 'account.*.none', 'account.007.changed', LAST_TOPIC];
const NEW_ORDERS = ['order.*.placed', LAST_TOPIC];

/** Asks for no topics, and so for all that the token allows. */
const ALLOWED: readonly string[] = [];
/** Topics that an auditor may subscribe to, and nobody else. */
const ENTITIES = ['account.#', 'order.#', LAST_TOPIC];

type ManyRights = readonly [Rights, ...Rights[]];

const AUDITOR: ManyRights = [RIGHTS.all];
const READER: ManyRights = [RIGHTS.rare];
/** Every new token may allow less than the former one, or more. */
const CHANGING: ManyRights = [RIGHTS.all, RIGHTS.orders, RIGHTS.account, RIGHTS.ordersAndAccount];

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
  const plain = (options: FollowerOptions, presents: 'header' | 'ticket' = 'header') =>
    new PlainFollower({ ...options, presents }, around);
  const slowOne = plain(fromFirst(around, 'plain-slow', ALL));
  slow.push(() => slowOne.socket);
  followers.push(
    slowOne,
    plain(fromFirst(around, 'plain-all', ALL)),
    plain(fromFirst(around, 'plain-ticket', ALL), 'ticket'),
    plain(fromFirst(around, 'plain-idle', IDLE, READER)),
    plain(fromFirst(around, 'plain-allowed', ALLOWED, [RIGHTS.ordersAndAccount])),
    plain(fromFirst(around, 'plain-changing', ALLOWED, CHANGING)),
    plain(fromFirst(around, 'plain-narrowed', ENTITIES, CHANGING), 'ticket'),
    plain(fromFirst(around, 'plain-accounts', SOME_ACCOUNTS, AUDITOR, ROUTES.accounts.path)),
  );
}

function addStreams({ followers, slow }: Cast, around: Surroundings): void {
  const stream = (options: FollowerOptions, presents: 'header' | 'ticket' = 'header') =>
    new StreamFollower({ ...options, presents }, around);
  const slowOne = stream(fromFirst(around, 'stream-slow', ALL));
  slow.push(() => slowOne.gate);
  followers.push(
    slowOne,
    stream(fromFirst(around, 'stream-ticket', ALL), 'ticket'),
    stream(fromFirst(around, 'stream-idle', ALLOWED, READER)),
    stream(fromFirst(around, 'stream-changing', ALLOWED, CHANGING)),
    stream(fromFirst(around, 'stream-narrowed', ENTITIES, CHANGING)),
    stream(fromFirst(around, 'stream-orders', NEW_ORDERS, AUDITOR, ROUTES.orders.path)),
  );
}

function addFrames({ followers, slow }: Cast, around: Surroundings): void {
  const events = (name: string, rights: ManyRights = AUDITOR, shown: Shown = 'header') =>
    new FramesClient(ROUTES.events.path, around.user(name, rights), shown, around);
  // Two subscriptions on one connection that share some events.
  const two = events('frames-two', AUDITOR, 'frames');
  const slowOne = events('frames-slow');
  slow.push(() => slowOne.socket);
  const frames = (name: string, asks: readonly string[], client: FramesClient) =>
    new FramesFollower({ name, asks, since: 'first', beginning: 'first' }, client, around);
  followers.push(
    frames('frames-all', ALL, two),
    frames('frames-orders', NEW_ORDERS, two),
    frames('frames-slow', ALL, slowOne),
    frames('frames-idle', IDLE, events('frames-idle', READER)),
    frames('frames-allowed', ALLOWED, events('frames-allowed', [RIGHTS.orders])),
    frames('frames-changing', ALLOWED, events('frames-changing', CHANGING)),
    frames('frames-renewed', ALLOWED, events('frames-renewed', CHANGING, 'frames')),
    frames('frames-narrowed', ENTITIES, events('frames-narrowed', CHANGING)),
  );
}

function addCollections({ followers, slow }: Cast, around: Surroundings): void {
  const user = around.user('collections', AUDITOR);
  const accounts = new FramesClient(ROUTES.accounts.path, user, 'frames', around);
  const ordersUser = around.user('collection-orders-slow', AUDITOR);
  const orders = new FramesClient(ROUTES.orders.path, ordersUser, 'header', around);
  slow.push(() => orders.socket);
  const someAccounts = { name: 'frames-accounts', asks: SOME_ACCOUNTS, since: 'first', beginning: 'first' } as const;
  followers.push(
    collectionOf('accounts', 'collection-accounts', accounts, around),
    new FramesFollower(someAccounts, accounts, around),
    collectionOf('orders', 'collection-orders-slow', orders, around),
  );
}

function addSocketIo({ followers, slow }: Cast, around: Surroundings): void {
  const stock = (
    name: string,
    asks: readonly string[],
    transports: readonly ('polling' | 'websocket')[],
    { rights = AUDITOR, listensTo = 'event' }: { rights?: ManyRights; listensTo?: 'event' | 'types' } = {},
  ) => new SocketIoFollower({ ...fromFirst(around, `socketio-${name}`, asks, rights), transports, listensTo }, around);
  const slowOne = stock('slow', ALL, ['websocket']);
  slow.push(() => slowOne.pausable);
  followers.push(
    slowOne,
    stock('websocket', ALL, ['websocket']),
    stock('types', ALL, ['websocket'], { listensTo: 'types' }),
    stock('polling', ALL, ['polling']),
    stock('upgrading', NEW_ORDERS, ['polling', 'websocket']),
    stock('idle', IDLE, ['polling', 'websocket'], { rights: READER }),
    stock('idle-polling', ALLOWED, ['polling'], { rights: READER }),
    stock('changing', ALLOWED, ['websocket'], { rights: CHANGING }),
    stock('narrowed', ENTITIES, ['polling', 'websocket'], { rights: CHANGING }),
  );
}

/** A follower that joins during the run: with a snapshot, or from a position that another follower received. */
export function newcomer(
  name: string,
  known: { id: string; position: string } | undefined,
  around: Surroundings,
): Follower {
  const { random } = around;
  const shown = random.pick<Shown>(['header', 'frames']);
  if (known === undefined || random.chance(0.5)) {
    const table = random.pick(['accounts', 'orders'] as const);
    const client = new FramesClient(ROUTES[table].path, around.user(name, AUDITOR), shown, around);
    return collectionOf(table, `${name}-${table}`, client, around);
  }
  const [asks, rights] = random.pick<readonly [readonly string[], ManyRights]>([
    [ALL, AUDITOR],
    [NEW_ORDERS, AUDITOR],
    [SOME_ACCOUNTS, AUDITOR],
    [NEW_ORDERS, [RIGHTS.orders]],
    [ALLOWED, [RIGHTS.account]],
    [ALLOWED, CHANGING],
  ]);
  const user = around.user(name, rights);
  const from = { asks, user, since: known.position, beginning: { after: known.id } };
  const { path } = ROUTES.events;
  const presents = random.pick(['header', 'ticket'] as const);
  switch (random.pick(['plain', 'stream', 'frames', 'socketio'] as const)) {
    case 'plain':
      return new PlainFollower({ ...from, name: `${name}-plain`, path, presents }, around);
    case 'stream':
      return new StreamFollower({ ...from, name: `${name}-stream`, path, presents }, around);
    case 'socketio': {
      const transports = random.pick([['websocket'], ['polling'], ['polling', 'websocket']] as const);
      const listensTo = random.pick(['event', 'types'] as const);
      return new SocketIoFollower({ ...from, name: `${name}-socketio`, path, transports, listensTo }, around);
    }
    case 'frames': {
      const client = new FramesClient(path, user, shown, around);
      return new FramesFollower({ ...from, name: `${name}-frames` }, client, around);
    }
  }
}

function fromFirst(
  around: Surroundings,
  name: string,
  asks: readonly string[],
  rights: ManyRights = AUDITOR,
  path: string = ROUTES.events.path,
): FollowerOptions {
  return { name, path, user: around.user(name, rights), asks, since: 'first', beginning: 'first' };
}

function collectionOf(
  table: 'accounts' | 'orders',
  name: string,
  client: FramesClient,
  around: Surroundings,
): CollectionFollower {
  return new CollectionFollower({ name, table, topics: ROUTES[table].topics }, client, around);
}
