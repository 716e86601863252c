import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect } from 'amqplib';
import Libsql from 'libsql';
import { expect, it } from 'vitest';
import { KEPT_LIMITS } from '../../../packages/server/src/core/ports/kept.js';
import { openLog } from '../../../packages/server/src/logs/open.js';
import { toKeptMessage } from '../../../packages/server/src/logs/rabbitmq/kept/kept-message.js';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { type RunningProcess, startProcess } from '../../support/processes.js';
import { describeWithBroker, testNames } from '../../support/rabbitmq.js';

const FOLLOW = fileURLToPath(new URL('../../support/log/kept-turns.mjs', import.meta.url));
const FILES = fileURLToPath(new URL('../../../examples/custom-log/files.js', import.meta.url));
const FLAGS = ['--max-semi-space-size=2'];

/** The limit for the CPU time of one event loop turn. */
const TURN_MS = 20;

/** Leaves room for the keys that the tests put. */
const SIZE = KEPT_LIMITS.entries - 10;
const VALUE = 'v'.repeat(KEPT_LIMITS.valueBytes);

const keys = Array.from({ length: SIZE }, (_, n) => `key-${n}`);

/** Starts a process that follows a full set. */
async function follow(args: readonly string[]): Promise<RunningProcess> {
  const process = startProcess([...FLAGS, FOLLOW, ...args]);
  await process.untilLines(1);
  return process;
}

/** The lines of a follower without their times. Asserts that no turn was too long. */
function linesOf({ stdoutLines }: RunningProcess): string[] {
  return stdoutLines.map((line) => {
    const end = line.lastIndexOf(' ');
    expect(Number(line.slice(end)), line).toBeLessThan(TURN_MS);
    return line.slice(0, end);
  });
}

async function expectShortTurns(args: readonly string[], change?: (key: string) => Promise<void>): Promise<void> {
  const follower = await follow(args);
  const put = change ?? (async (key) => follower.type(`${key}\n`));
  await put('key-7');
  await follower.until(/^told /m);
  await put('new-1');
  await follower.until(new RegExp(`^told ${SIZE + 1} `, 'm'));
  follower.type('all\n');
  await follower.until(/^all /m);
  const lines = linesOf(follower).filter((line) => line !== 'put');
  expect(lines).toEqual([`whole ${SIZE}`, `told ${SIZE} 1`, `told ${SIZE + 1} 1`, `all ${SIZE + 1}`]);
}

async function fullSqlite(value: string): Promise<string> {
  const path = join(temporaryFolder(), 'log.db');
  await (await openLog(`sqlite:${path}`)).close();
  const raw = new Libsql(path);
  const insert = raw.prepare('INSERT INTO kept (key, value, expires) VALUES (?, ?, NULL)');
  raw.exec('BEGIN');
  for (const key of keys) insert.run(JSON.stringify(key), JSON.stringify(value));
  raw.exec('COMMIT');
  raw.close();
  return `sqlite:${path}`;
}

it.each([
  ['short', 'v'],
  ['of the maximum length', VALUE],
  ['of the maximum length in the file', '\u0001'.repeat(KEPT_LIMITS.valueBytes)],
])('[I-7] sqlite: no turn is long when another process changes values that are %s', async (_, value) => {
  const url = await fullSqlite(value);
  const other = await openLog(url);
  afterTest(() => other.close());
  await expectShortTurns([url], (key) => other.kept.put(key, 'changed'));
});

it('[I-7] sqlite: no turn is long in a process that puts values of the maximum length', async () => {
  await expectShortTurns([await fullSqlite(VALUE)]);
});

it('[I-7] sqlite: no turn is long after half of a full set has expired at once', async () => {
  const url = await fullSqlite(VALUE);
  const raw = new Libsql(url.slice('sqlite:'.length));
  raw.prepare(`UPDATE kept SET expires = ? WHERE key < '"key-5'`).run(Date.now() + 3_000);
  raw.close();
  const follower = await follow([url]);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  for (const key of ['new-1', 'new-2', 'new-3']) follower.type(`${key}\n`);
  await follower.until(/(?:^put .*\n(?:told .*\n)*){3}/m);
  expect(linesOf(follower).filter((line) => line === 'put')).toHaveLength(3);
});

it('[I-7] flat files: no turn is long in an open log with values of the maximum length', async () => {
  const folder = temporaryFolder();
  const lines = keys.map((key) => JSON.stringify([key, { value: VALUE }]));
  writeFileSync(join(folder, 'kept.ndjson'), `${lines.join('\n')}\n`);
  await expectShortTurns([`files:${folder}`, FILES]);
});

describeWithBroker('with a broker', () => {
  it('[I-7] rabbitmq: no turn is long with values of the maximum length', async () => {
    const { url, stream } = testNames();
    const other = await openLog(url);
    afterTest(() => other.close());
    await other.kept.all();
    const connection = await connect(new URL('/', url).href);
    const channel = await connection.createConfirmChannel();
    for (const key of keys) {
      const { body, headers } = toKeptMessage({
        kind: 'put',
        id: key,
        key,
        value: { value: VALUE, expiresAt: undefined },
      });
      channel.publish('', `${stream}.keys`, body, { persistent: true, headers: { ...headers } });
    }
    await channel.waitForConfirms();
    await connection.close();
    await expectShortTurns([url], (key) => other.kept.put(key, 'changed'));
  });
});
