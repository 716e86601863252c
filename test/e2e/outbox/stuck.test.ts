import { join } from 'node:path';
import { createPostgresOutbox, createSqliteOutbox, type OutboxEvent } from '@pregon/outbox';
import { PregonError } from '@pregon/protocol';
import Libsql from 'libsql';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { FaultyLog } from '../../support/outbox/faulty-log.js';
import { describeWithPostgres } from '../../support/postgres.js';
import { createSchema } from '../../support/postgres-schema.js';
import { pregon } from '../../support/processes.js';
import { eventually } from '../../support/waiting.js';

const event = (id: string): OutboxEvent => ({
  id,
  exchange: 'my_events',
  topic: 'user.1',
  type: 'UserWasCreated',
  data: id,
});

/** A log that accepts nothing. */
function refusingLog(): FaultyLog {
  const log = new FaultyLog();
  log.beforeAppend = () => {
    throw new PregonError('EVENT_TOO_LARGE', 'this log takes\nless');
  };
  return log;
}

function stuckOnSqlite(ids: readonly string[]) {
  const path = join(temporaryFolder(), 'app.db');
  const db = new Libsql(path);
  afterTest(() => db.close());
  const outbox = createSqliteOutbox({ source: '/shop', table: 'shop_outbox' });
  outbox.migrate(db);
  for (const id of ids) outbox.add(db, event(id));
  const relay = outbox.relay({ db, log: refusingLog(), onError: () => {} });
  afterTest(() => relay.stop());
  relay.start();
  const flags = [`--db=sqlite:${path}`, '--table=shop_outbox'];
  return { relay, outbox, db, run: (...args: string[]) => pregon(['outbox', 'stuck', ...args, ...flags]) };
}

describe('[fault C4] pregon outbox stuck', () => {
  it('lists, drops and puts back rows that were set aside, one or all', async () => {
    const { relay, run, db } = stuckOnSqlite(['one', 'two', 'three', 'four']);
    await eventually(
      () => relay.stuck(),
      (count) => count === 4,
    );
    await relay.stop();

    const listed = await run('list', '--limit=2');
    expect(listed.stdout.replaceAll(/\d{4}-[\d-]+T[\d:.]+Z/g, 'TIME')).toBe(
      '#1 "one"  TIME  EVENT_TOO_LARGE: this log takes less\n#2 "two"  TIME  EVENT_TOO_LARGE: this log takes less\n',
    );
    expect([listed.code, listed.stderr]).toEqual([0, 'pregon: 2 more; --limit=N shows more of them\n']);
    const { stdout } = await run('list', '--json');
    const rows = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.map(({ id, sequence }) => [id, sequence])).toEqual([
      ['one', 1],
      ['two', 2],
      ['three', 3],
      ['four', 4],
    ]);
    expect(rows[0]).toMatchObject({
      code: 'EVENT_TOO_LARGE',
      reason: 'this log takes\nless',
      stuckAt: expect.stringMatching(/Z$/),
    });
    expect(JSON.parse(rows[0].event)).toMatchObject({ id: 'one', data: 'one' });

    const careful = await run('drop', '#2');
    expect([careful.code, careful.stderr]).toEqual([
      2,
      expect.stringContaining('this deletes "#2" for good; add --yes'),
    ]);
    expect(await run('drop', '#2', '--yes')).toMatchObject({ code: 0, stdout: '1 event dropped\n' });
    expect(await run('retry', 'three')).toMatchObject({ code: 0, stdout: '1 event put back\n' });
    expect(await run('retry', 'two')).toMatchObject({ code: 1, stderr: 'pregon: no event "two" was set aside\n' });
    expect(await run('retry', '--all', '--json')).toMatchObject({ code: 0, stdout: '{"count":2}\n' });
    expect(await run('list')).toMatchObject({ code: 0, stdout: 'no event was set aside\n' });
    const left = db.prepare('SELECT event FROM shop_outbox ORDER BY sequence').all();
    expect(left.map((row) => JSON.parse(Reflect.get(Object(row), 'event')).id)).toEqual(['three', 'one', 'four']);
  });

  it('says what is missing or wrong', async () => {
    const folder = temporaryFolder();
    const db = new Libsql(join(folder, 'empty.db'));
    db.exec('CREATE TABLE other (a)');
    db.close();
    const where = `--db=sqlite:${folder}/empty.db`;
    const wrong: [args: string[], code: number, message: RegExp][] = [
      [['list'], 2, /no outbox is given: add --db=sqlite:PATH/],
      [['list', `--db=sqlite:${folder}/none.db`], 1, /there is no file .*none\.db/],
      // [fault F3] The address is read like the address of a log.
      [['list', `--db=sqlite://${folder}/none.db`], 1, /there is no file \/[^/].*none\.db/],
      [['list', '--db=sqlite:~/none.db'], 1, /there is no file \/.*none\.db/],
      [['list', where], 1, /there is no outbox table "pregon_outbox": name the table with --table/],
      [['list', where, '--table=a;b'], 2, /not a table name/],
      [['list', '--db=mysql://localhost/shop'], 2, /name an outbox with --db=sqlite:PATH or --db=postgres/],
      [['retry', where], 2, /give either the ID of one event, or --all/],
      [['drop', 'one', '--all', '--yes', where], 2, /give either the ID/],
      [['lists'], 2, /unknown command "outbox stuck lists"; did you mean "outbox stuck list"\?/],
      [[], 2, /"outbox stuck" is not complete/],
    ];
    for (const [args, code, message] of wrong) {
      const result = await pregon(['outbox', 'stuck', ...args]);
      expect([result.code, result.stdout, result.stderr], args.join(' ')).toEqual([
        code,
        '',
        expect.stringMatching(message),
      ]);
    }
    const { stdout } = await pregon(['help', 'outbox', 'stuck']);
    for (const name of ['list', 'retry', 'drop']) expect(stdout).toContain(`Usage: pregon outbox stuck ${name} `);
  });
});

await describeWithPostgres('[fault C4] pregon outbox stuck on PostgreSQL', (url) => {
  it('lists rows and puts them back, and the active relay is notified', async () => {
    const schema = await createSchema(url());
    const pool = new pg.Pool({ connectionString: schema });
    afterTest(() => pool.end());
    const outbox = createPostgresOutbox({ source: '/shop' });
    await outbox.migrate(pool);
    const log = refusingLog();
    const relay = outbox.relay({ db: pool, log, pollIntervalMs: 60_000, onError: () => {} });
    afterTest(() => relay.stop());
    relay.start();
    await eventually(
      () => relay.state,
      (state) => state === 'idle',
    );
    const client = await pool.connect();
    await outbox.add(client, event('one'));
    client.release();
    await eventually(
      () => relay.stuck(),
      (count) => count === 1,
    );
    const { stdout, stderr } = await pregon(['outbox', 'stuck', 'list'], { env: { PREGON_OUTBOX: schema } });
    expect([stdout, stderr]).toEqual([expect.stringMatching(/^#1 "one" {2}\S+Z {2}EVENT_TOO_LARGE: /), '']);
    log.beforeAppend = () => {};
    const retried = await pregon(['outbox', 'stuck', 'retry', 'one', `--db=${schema}`]);
    expect([retried.code, retried.stdout]).toEqual([0, '1 event put back\n']);
    await eventually(
      () => log.ids,
      (ids) => ids.length === 1,
    );
    const gone = await pregon(['outbox', 'stuck', 'list', '--db=postgres://127.0.0.1:1/shop?password=hidden']);
    expect(gone.code).toBe(1);
    expect(gone.stderr).toMatch(/use PREGON_OUTBOX.*\npregon: PostgreSQL cannot be reached: /s);
    expect(gone.stderr).not.toContain('hidden');
  });
});
