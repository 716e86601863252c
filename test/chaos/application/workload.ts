import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { LAST_TOPIC } from '../names.js';
import type { Random } from '../random.js';
import type { Row, Transaction } from './store.js';

const ACCOUNTS = 60;
const MOST_ORDERS = 250;
/** A text that is hard for codecs. (Texts in PostgreSQL cannot contain NUL.) */
const HOSTILE = '\n\r\n data: \u2028 "}\\ \u{1f4ef} id: 7\n\n';

/** Thrown by a transaction that rolls back on purpose. */
export class ChangeOfMind extends Error {}

/**
 * One transaction of the application. Some touch several rows, some take their time, some roll back at their end.
 *
 * @param longestMs how long a transaction is held open at most
 */
export async function transact(tx: Transaction, random: Random, longestMs: number): Promise<void> {
  await random.weighted(ACTIONS).run(tx, random);
  if (random.chance(0.03)) await delay(random.duration(1, longestMs));
  if (random.chance(0.12)) throw new ChangeOfMind();
}

/** The last event of a run. */
export function end(tx: Transaction): Promise<void> {
  return tx.emit({ topic: LAST_TOPIC, type: 'RunEnded', row: 'run/1', version: 1, data: { id: '1', version: 1 } });
}

interface Action {
  readonly weight: number;
  run(tx: Transaction, random: Random): Promise<void>;
}

const ACTIONS: readonly Action[] = [
  { weight: 25, run: (tx, random) => adjust(tx, [anAccount(random)], random) },
  { weight: 25, run: transfer },
  { weight: 20, run: placeOrder },
  { weight: 15, run: changeOrder },
  { weight: 8, run: dropOrder },
  { weight: 6, run: payOrder },
  { weight: 1, run: announce },
];

async function transfer(tx: Transaction, random: Random): Promise<void> {
  const accounts = new Set(Array.from({ length: random.integer(2, 4) }, () => anAccount(random)));
  // Always in the same order, so that two transfers cannot deadlock.
  await adjust(tx, [...accounts].sort(), random);
}

async function adjust(tx: Transaction, ids: readonly string[], random: Random): Promise<void> {
  for (const id of ids) {
    const amount = random.integer(-50, 50);
    const rows = await tx.run(
      `INSERT INTO accounts (id, version, balance) VALUES (?, 1, ?) ON CONFLICT (id)
         DO UPDATE SET version = accounts.version + 1, balance = accounts.balance + excluded.balance
         RETURNING id, version, balance`,
      id,
      amount,
    );
    for (const row of rows) await tell(tx, 'account', 'changed', row);
  }
}

async function placeOrder(tx: Transaction, random: Random): Promise<void> {
  const [{ count } = {}] = await tx.run('SELECT count(*) AS count FROM orders');
  if (Number(count) >= MOST_ORDERS) return dropOrder(tx, random);
  const rows = await tx.run(
    "INSERT INTO orders (id, version, state, note) VALUES (?, 1, 'open', ?) RETURNING id, version, state, note",
    randomUUID().slice(0, 13),
    aNote(random),
  );
  for (const row of rows) await tell(tx, 'order', 'placed', row);
}

async function changeOrder(tx: Transaction, random: Random): Promise<void> {
  const rows = await tx.run(
    `UPDATE orders SET version = version + 1, note = ? WHERE id = (${ANY_ORDER}) RETURNING id, version, state, note`,
    aNote(random),
  );
  for (const row of rows) await tell(tx, 'order', 'changed', row);
}

/** The event has the version after the row's last one, so that a removal is a step like any other. */
async function dropOrder(tx: Transaction, _random: Random): Promise<void> {
  const rows = await tx.run(`DELETE FROM orders WHERE id = (${ANY_ORDER}) RETURNING id, version, state, note`);
  for (const row of rows) await tell(tx, 'order', 'dropped', { ...row, version: versionOf(row) + 1 });
}

/** Changes two tables for two routes in one transaction. */
async function payOrder(tx: Transaction, random: Random): Promise<void> {
  const rows = await tx.run(
    `UPDATE orders SET version = version + 1, state = 'paid' WHERE id = (${ANY_ORDER}) RETURNING id, version, state, note`,
  );
  for (const row of rows) await tell(tx, 'order', 'paid', row);
  await adjust(tx, [anAccount(random)], random);
}

/** An event that hardly any client subscribes to, and that idle clients wait for. */
async function announce(tx: Transaction): Promise<void> {
  const id = randomUUID();
  await tx.emit({ topic: 'rare.news', type: 'Announced', row: `news/${id}`, version: 1, data: { id, version: 1 } });
}

const ANY_ORDER = 'SELECT id FROM orders ORDER BY random() LIMIT 1';

function tell(tx: Transaction, entity: string, verb: string, row: Row): Promise<void> {
  const id = String(row['id']);
  const type = `${capitalized(entity)}Was${capitalized(verb)}`;
  const topic = `${entity}.${id}.${verb}`;
  return tx.emit({ topic, type, row: `${entity}/${id}`, version: versionOf(row), data: row });
}

function versionOf(row: Row): number {
  return Number(row['version']);
}

function anAccount(random: Random): string {
  return String(random.integer(1, ACCOUNTS)).padStart(3, '0');
}

/** Mostly short, but sometimes long enough to fill the socket of a slow reader. */
function aNote(random: Random): string {
  const length = random.chance(0.05) ? random.integer(4_000, 20_000) : random.integer(0, 80);
  return `${HOSTILE.slice(0, random.integer(0, HOSTILE.length))}${'lorem '.repeat(length / 6)}`;
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
