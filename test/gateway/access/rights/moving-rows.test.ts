import { join } from 'node:path';
import { type Collection, createClient } from '@pregon/client';
import { createSqliteOutbox } from '@pregon/outbox';
import { matchesTopic } from '@pregon/protocol';
import Database from 'libsql';
import type { SnapshotRequest } from 'pregon';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ISSUER, SECRET, signToken } from '../../../support/access/tokens.js';
import { afterTest, temporaryFolder } from '../../../support/cleanup.js';
import { startGateway, type TestGateway } from '../../../support/gateway/gateway.js';
import { byLength } from '../../../support/long.js';

const MOVES = byLength({ quick: 100, check: 300, long: 3_000 });
const ORGS = [7, 8, 9];
const USERS = 20;

interface User {
  readonly id: number;
  readonly org: number;
  readonly version: number;
}

function parse(value: unknown): User {
  const { id, org, version } = Object(value);
  if ([id, org, version].every((one) => typeof one === 'number')) return { id, org, version };
  throw new TypeError(`not a user: ${JSON.stringify(value)}`);
}

/** An application whose users belong to one organisation each, and move between them. */
class Application {
  readonly #outbox = createSqliteOutbox({ source: '/users' });
  readonly #db = new Database(join(temporaryFolder(), 'users.db'));

  constructor() {
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF');
    this.#db.exec('CREATE TABLE user (id INTEGER PRIMARY KEY, org INTEGER NOT NULL, version INTEGER NOT NULL)');
    this.#outbox.migrate(this.#db);
    const insert = this.#db.prepare('INSERT INTO user VALUES (?, ?, 0)');
    for (let id = 1; id <= USERS; id++) insert.run(id, ORGS[id % ORGS.length]);
  }

  relay({ log }: TestGateway): void {
    const relay = this.#outbox.relay({ db: this.#db, log, pollIntervalMs: 20 });
    relay.start();
    afterTest(async () => {
      await relay.stop();
      this.#db.close();
    });
  }

  rows(): User[] {
    return this.#db.prepare('SELECT id, org, version FROM user').all().map(parse);
  }

  /** Moves a user, or changes it where it is. */
  move(id: number, org: number, version: number): void {
    const before = parse(this.#db.prepare('SELECT id, org, version FROM user WHERE id = ?').get(id));
    const user: User = { id, org, version };
    this.#db.exec('BEGIN IMMEDIATE');
    this.#db.prepare('UPDATE user SET org = ?, version = ? WHERE id = ?').run(org, version, id);
    const add = (of: number, type: string, data: object) =>
      this.#outbox.add(this.#db, { exchange: 'events', topic: `org.${of}.user.${id}`, type, data });
    // The departure comes first: a client that may read both organisations keeps the row.
    if (before.org !== org) add(before.org, 'UserLeft', { id });
    add(org, before.org === org ? 'UserWasChanged' : 'UserEntered', user);
    this.#db.exec('COMMIT');
  }

  readonly snapshot = ({ topics }: SnapshotRequest) => {
    const isAllowed = ({ id, org }: User) => topics.some((one) => matchesTopic(one, `org.${org}.user.${id}`));
    return this.#outbox.snapshot(this.#db, () => this.rows().filter(isAllowed));
  };
}

/** Follows the users that a token may see. Fails as soon as a row is there that it may not see. */
async function follow({ ws }: TestGateway, claims: object, orgs: readonly number[]): Promise<Collection<User>> {
  const token = await signToken({ sub: JSON.stringify(orgs), ...claims });
  const client = createClient({ url: ws('/events'), WebSocket, token: () => token });
  afterTest(() => client.close());
  const users = client.collection({
    key: 'id',
    parse,
    change: ({ type, data }) => (type === 'UserLeft' ? { remove: Object(data).id } : { put: data }),
  });
  users.observe({
    updated() {
      for (const { org } of users.values()) if (!orgs.includes(org)) throw new Error(`a user of ${org}`);
    },
  });
  await users.ready;
  return users;
}

it('[I-6] [I-9] [H-07] a row that moves leaves the collections of one organisation and enters those of the other', async () => {
  const application = new Application();
  const gateway = await startGateway({
    auth: { issuers: [{ issuer: ISSUER, secret: SECRET }] },
    routes: {
      events: {
        path: '/events',
        allow: [{ subscribe: 'org.{org}.#' }, { subscribe: '#', if: { role: 'admin' } }],
        snapshot: { per: 'rights', read: application.snapshot },
      },
    },
  });
  application.relay(gateway);
  const followed: [orgs: readonly number[], users: Collection<User>][] = [];
  const add = async (claims: object, orgs: readonly number[]) =>
    void followed.push([orgs, await follow(gateway, claims, orgs)]);
  await add({ org: 7 }, [7]);
  await add({ org: 8 }, [8]);
  await add({ role: 'admin' }, ORGS);
  for (let n = 1; n <= MOVES; n++) {
    application.move(1 + ((n * 7_919) % USERS), ORGS[(n * 104_729) % 3] ?? 7, n);
    // Clients that come in the meantime begin with a snapshot.
    if (n % Math.floor(MOVES / 3) === 0) await add({ org: 8 }, [8]);
    if (n % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  for (const [orgs, users] of followed) {
    const expected = application.rows().filter(({ org }) => orgs.includes(org));
    const held = () => [...users.values()].sort((a, b) => a.id - b.id);
    await expect.poll(held, { timeout: 60_000 }).toEqual(expected);
    expect([users.state, users.lastError]).toEqual(['live', undefined]);
  }
});
