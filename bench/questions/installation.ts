import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '@pregon/protocol';
import { type Channel, connect } from 'amqplib';
import pg from 'pg';
import { leftover } from '../leftovers.js';
import type { Context } from '../question.js';
import { newLogUrl } from './sides.js';

const POSTGRES = 'postgres://postgres@127.0.0.1:5432';
const RABBITMQ = 'amqp://guest:guest@127.0.0.1:5672';

/** How long a service may take to answer. */
const PATIENCE_MS = 3_000;

/** The database, log and exchange of an application and its gateway: empty, with unique names. */
export interface Installation {
  readonly database: string;
  readonly log: string;
  readonly exchange: string;
  /** Removes everything. The installation must not be used afterwards. */
  remove(): Promise<void>;
}

/** A kind of installation. */
export interface Kind {
  readonly name: string;
  /** Why it is not available on this machine now; undefined if it is. */
  missing(): Promise<string | undefined>;
  install(context: Context): Promise<Installation>;
}

const embedded: Kind = {
  name: 'SQLite, embedded log',
  missing: async () => undefined,
  async install(context) {
    const folder = mkdtempSync(join(context.folder, 'application-'));
    const database = `sqlite:${join(folder, 'application.db')}`;
    return { database, log: newLogUrl(context), exchange: 'bench', remove: async () => {} };
  },
};

const services: Kind = {
  name: 'PostgreSQL, RabbitMQ',
  async missing() {
    const tried = { 'PostgreSQL at 127.0.0.1:5432': tryPostgres(), 'RabbitMQ at 127.0.0.1:5672': tryRabbit() };
    const reasons: string[] = [];
    for (const [service, attempt] of Object.entries(tried)) {
      const reason = await attempt;
      if (reason !== undefined) reasons.push(`${service}: ${reason}`);
    }
    return reasons.length === 0 ? undefined : reasons.join('; ');
  },
  async install() {
    const name = `pregon_bench_${randomBytes(6).toString('hex')}`;
    const removeDatabase = leftover(() => onPostgres(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
    const removeStream = removingStream(name);
    await onPostgres(`CREATE DATABASE ${name}`);
    return {
      database: `${POSTGRES}/${name}`,
      log: `${RABBITMQ}/?stream=${name}`,
      exchange: name,
      async remove() {
        await removeDatabase();
        await removeStream();
      },
    };
  },
};

export const KINDS: readonly Kind[] = [embedded, services];

/** A stream and an exchange of RabbitMQ for one gateway, without any database. */
export interface Bus {
  readonly broker: string;
  readonly log: string;
  readonly exchange: string;
  remove(): Promise<void>;
}

/** Why there is no broker on this machine; undefined if there is one. */
export function missingBus(): Promise<string | undefined> {
  return tryRabbit().then((reason) => reason && `RabbitMQ at 127.0.0.1:5672: ${reason}`);
}

/** Names for a stream and an exchange, which the gateway creates, and the function that removes them. */
export function installBus(): Bus {
  const name = `pregon_bench_${randomBytes(6).toString('hex')}`;
  return { broker: RABBITMQ, log: `${RABBITMQ}/?stream=${name}`, exchange: name, remove: removingStream(name) };
}

function removingStream(name: string): () => Promise<void> {
  return leftover(() =>
    onRabbit(async (channel) => {
      await channel.deleteQueue(name);
      await channel.deleteExchange(name);
    }),
  );
}

function tryPostgres(): Promise<string | undefined> {
  return reasonOf(onPostgres('SELECT 1'));
}

function tryRabbit(): Promise<string | undefined> {
  return reasonOf(onRabbit(async () => {}));
}

async function reasonOf(attempt: Promise<void>): Promise<string | undefined> {
  try {
    await attempt;
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

async function onPostgres(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: `${POSTGRES}/postgres`, connectionTimeoutMillis: PATIENCE_MS });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

async function onRabbit(work: (channel: Channel) => Promise<void>): Promise<void> {
  const connection = await connect(RABBITMQ, { timeout: PATIENCE_MS });
  try {
    await work(await connection.createChannel());
  } finally {
    await connection.close();
  }
}
