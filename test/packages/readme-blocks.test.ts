import { readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/cleanup.js';
import { type CodeBlock, codeBlocks } from '../support/documents/code-blocks.js';
import { WalkThrough } from '../support/documents/walk-through.js';
import { openTestLog } from '../support/gateway/gateway.js';
import { readAll } from '../support/log/recorder.js';
import { describeWithPostgres } from '../support/postgres.js';
import { createSchema, runSql } from '../support/postgres-schema.js';
import { startPregon } from '../support/processes.js';

const ROOT = resolve(import.meta.dirname, '../..');

/** The code blocks of a page, and a folder in which they run as in a project that has the packages. */
async function open(page: string) {
  const folder = temporaryFolder();
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const blocks = codeBlocks(readFileSync(join(ROOT, page), 'utf8'));
  const here = await WalkThrough.start(folder);
  const of = (...languages: string[]) => blocks.filter(({ language }) => languages.includes(language));
  return { blocks, folder, here, of };
}

type Page = Awaited<ReturnType<typeof open>>;

/** Writes a module and runs it to its end. */
function run({ here }: Page, text: string): Promise<string> {
  here.write('program.mjs', text);
  return here.runToEnd('node program.mjs');
}

const only = (blocks: readonly CodeBlock[]): string => {
  const [first, ...others] = blocks;
  if (first === undefined || others.length > 0) throw new Error(`${blocks.length} blocks instead of one`);
  return first.text;
};

/** A block with declarations for the names that it uses and does not declare, as its reader has them. */
function withDeclared(block: string, known: Readonly<Record<string, string>>): string {
  const isMissing = (name: string, text: string) =>
    new RegExp(`\\b${name}\\b`).test(text) &&
    !new RegExp(`\\b(const|let|function|import.*) ${name}\\b|import \\{[^}]*\\b${name}\\b`).test(text);
  // From the last to the first, because a declaration may use the names before it.
  return Object.entries(known).reduceRight(
    (text, [name, declaration]) => (isMissing(name, text) ? `${declaration}\n${text}` : text),
    block,
  );
}

describe('[fault G1] Each code block of packages/protocol/README.md', () => {
  it('runs as it stands', async () => {
    const page = await open('packages/protocol/README.md');
    expect(page.blocks).toEqual(page.of('js'));
    expect(await run(page, only(page.blocks))).toMatch(/^EVENT_INVALID false .*a\.\.b/);
  });
});

describe('[fault G1] Each code block of packages/client/README.md', () => {
  it('runs beside a gateway, with the names that the text around it mentions', async () => {
    const page = await open('packages/client/README.md');
    expect(page.blocks).toEqual(page.of('js'));
    const known = {
      createClient: "import { createClient } from '@pregon/client';",
      client: `const client = createClient({ url: 'ws://localhost:1234/events' });
        await new Promise((resolve) => client.on('state', ({ state }) => state === 'online' && resolve()));`,
      users: "const users = client.collection({ key: 'id', change: () => undefined });",
      fetchToken: "const fetchToken = async () => 'a token';",
      signIn: 'const signIn = async () => {};',
      show: 'const show = () => {};',
      addRow: "const addRow = (id, user) => console.log('added', id, user.name);",
      editRow: 'const editRow = () => {};',
      removeRow: 'const removeRow = () => {};',
      table: 'const table = { classList: { toggle() {} } };',
    };
    const modules = page.blocks.map(({ text }, index) => {
      page.here.write(`block-${index}.mjs`, withDeclared(text, known));
      return `await import('./block-${index}.mjs');`;
    });
    const said = await run(
      page,
      `import { createGateway } from 'pregon';
      import { WebSocket } from 'ws';
      globalThis.WebSocket ??= WebSocket;
      const handlers = { messages: { bid: ({}, { amount }) => ({ accepted: amount }), typing() {} } };
      const snapshot = () => ({ rows: [{ id: 7, name: 'Ada' }], sequence: 0 });
      const gateway = await createGateway({ log: 'sqlite:log.db', routes: { events: { path: '/events', snapshot, handlers: [handlers] } } });
      await gateway.listen({ port: 1234 });
      const { error, log } = console;
      const said = [];
      console.log = console.error = (...words) => said.push(words.join(' '));
      ${modules.join('\n')}
      const event = { exchange: 'e', topic: 'user.8.created', type: 'UserWasCreated', data: { id: 8, name: 'Grace' } };
      while (!['UserWasCreated [object Object]', 'added 8 Grace'].every((wanted) => said.includes(wanted))) {
        await gateway.publish(event);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      log(said.join('\\n'));
      process.exit(0);`,
    );
    expect(said).toContain('added 7 Ada\n');
  });
});

describe('[fault G1] Each code block of packages/outbox/README.md', async () => {
  const topicsIn = async (folder: string) =>
    (await readAll(await openTestLog(join(folder, 'data/pregon.db')))).map(({ topic }) => topic);
  const RELAYED =
    'while ((await relay.pending()) > 0) await new Promise((resolve) => setTimeout(resolve, 10)); process.exit(0);';

  it('runs on SQLite', async () => {
    const page = await open('packages/outbox/README.md');
    const blocks = page.of('js');
    expect(blocks.map(({ heading }) => heading)).toEqual(['SQLite', 'PostgreSQL', 'Revocations']);
    await run(page, `${blocks[0]?.text}\n${RELAYED}`);
    expect(await topicsIn(page.folder)).toEqual(['user.42.created']);
  });

  it('revokes tokens, blocks a user and lifts the block, in a transaction on SQLite', async () => {
    const page = await open('packages/outbox/README.md');
    const [sqlite, , revocations] = page.of('js');
    await run(
      page,
      `${sqlite?.text}
      const tx = db;
      db.transaction(() => { ${revocations?.text} })();
      const waiting = db.prepare('SELECT count(*) AS count FROM pregon_outbox_revoked');
      while (waiting.get().count > 0) await new Promise((resolve) => setTimeout(resolve, 10));
      process.exit(0);`,
    );
    const said = await page.here.runToEnd('npx pregon revocations --log=sqlite:data/pregon.db');
    expect(
      said
        .trim()
        .split('\n')
        .filter((line) => line.includes('shop')),
    ).toHaveLength(2);
  });

  it('runs the commands for rows that were set aside', async () => {
    const page = await open('packages/outbox/README.md');
    const [sqlite] = page.of('js');
    await run(
      page,
      `${sqlite?.text}
      const insert = db.prepare('INSERT INTO pregon_outbox (sequence, written_at, bytes, event) VALUES (?, 0, 1, ?)');
      insert.run(41, '{"id":"user-1"}');
      insert.run(42, 'no event');
      while (relay.stuck() < 2) await new Promise((resolve) => setTimeout(resolve, 10));
      ${RELAYED}`,
    );
    const commands = only(page.of('sh')).trim().split('\n');
    const said = [];
    for (const command of commands) said.push(await page.here.runToEnd(`npx ${command}`));
    expect(page.blocks.length).toBe(4);
    expect(said).toEqual([expect.stringMatching(/^#41 "user-1" .*\n#42 /), '1 event put back\n', '1 event dropped\n']);
  });

  await describeWithPostgres('on PostgreSQL', (url) => {
    it('runs as it stands, except for the address', async () => {
      const page = await open('packages/outbox/README.md');
      const text = page.blocks[1]?.text ?? '';
      const database = await createSchema(url());
      await runSql(
        database,
        "CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users VALUES (42, 'Bob')",
      );
      expect(text).toContain("'postgres://localhost/auction'");
      await run(page, `${text.replace('postgres://localhost/auction', database)}\n${RELAYED}`);
      expect(await topicsIn(page.folder)).toEqual(['user.42.updated']);
    });
  });
});

describe('[fault G1] Each code block of packages/server/README.md', () => {
  it('runs its commands, one after the other', async () => {
    const page = await open('packages/server/README.md');
    const [install, gateway = '', publish = '', connect = '', ...others] =
      page.blocks[0]?.text.trim().split('\n') ?? [];
    expect([install, others]).toEqual(['npm install pregon', []]);
    const { here } = page;
    await here.untilSaid(here.run(gateway), /config +none/);
    await here.runToEnd(publish);
    await here.untilSaid(here.run(connect), /^: .*"type":"UserWasCreated"/m);
  });

  it('runs a gateway as a library and on the server of an application', async () => {
    const page = await open('packages/server/README.md');
    const [own = '', attached = '', ...others] = page.of('js').map(({ text }) => text);
    expect([others, page.blocks.length]).toEqual([[], 3]);
    await run(page, own);
    const said = await run(
      page,
      `${attached}
      const answer = await fetch('http://localhost:8080/api/notices', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ text: 'hello' }),
      });
      console.log(answer.status);
      process.exit(0);`,
    );
    expect(said).toBe('201\n');
  });
});

describe('[fault G1] The other code blocks of README.md', () => {
  it('include a gateway in the process of the application, which runs', async () => {
    const page = await open('README.md');
    const library = page.blocks.filter(({ heading }) => heading === 'As a library');
    const application = page.of('js').find(({ file }) => file === 'app.mjs')?.text ?? '';
    const said = await run(
      page,
      `${application.replace('app.listen(8080);', '')}
      ${only(library)}
      const answer = await fetch('http://localhost:1234/events?snapshot=true', { headers: { accept: 'text/event-stream' } });
      for await (const chunk of answer.body) {
        const text = Buffer.from(chunk).toString();
        if (!text.includes('event: snapshot')) continue;
        console.log(text);
        process.exit(0);
      }`,
    );
    expect(said).toContain('{"rows":[],"more":false}');
  });

  it('are commands that other tests run, existing scripts and existing folders', async () => {
    const { blocks } = await open('README.md');
    const rest = blocks.filter(
      ({ heading, text }) => !['Use it', 'As a library'].includes(heading) && !text.startsWith('new WebSocket'),
    );
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const [start, database, test, container, folders, ...others] = rest.map(({ text }) => text.trim());
    expect(others).toEqual([]);
    const [, ...args] = container?.replace('0.0.0.0:1234', '0.0.0.0:0').split(' ') ?? [];
    await startPregon(args, { cwd: temporaryFolder() }).until(/public: without tokens.*https:\/\/shop\.example$/m);
    expect([start, test]).toEqual(['npm ci && npm start', 'npm ci && npm test']);
    expect(database).toMatch(/^createdb .* auction\nDATABASE_URL=postgres:\S+\/auction PREGON_LOG=amqp:\S+ npm start$/);
    expect([scripts.start, scripts.test].every((script) => typeof script === 'string')).toBe(true);
    for (const line of folders?.split('\n') ?? []) {
      const [folder = ''] = line.split(' ');
      expect(() => readFileSync(join(ROOT, folder)), folder).toThrow(/EISDIR/);
    }
  });
});

// The blocks of packages/nest/README.md have to be compiled first: see packages/nest/test/readme.suite.ts.
