import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openLog } from 'pregon';
import { describe, expect, it } from 'vitest';
import { afterTest, temporaryFolder } from '../support/cleanup.js';
import { codeBlocks } from '../support/documents/code-blocks.js';
import { PlainClient, refusal } from '../support/gateway/plain-client.js';
import { numberedFrom } from '../support/log/events.js';
import { startProcess } from '../support/processes.js';

const ROOT = resolve(import.meta.dirname, '../..');

/** A project that has the packages, and the files of docs/guide/extending.md. */
function project(): string {
  const folder = temporaryFolder();
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  const blocks = codeBlocks(readFileSync(join(ROOT, 'docs/guide/extending.md'), 'utf8'));
  for (const { file, text } of blocks) if (file !== undefined) writeFileSync(join(folder, file), text);
  return folder;
}

async function start(cwd: string, program: string): Promise<string> {
  const running = startProcess([program], { cwd, env: { PORT: '0' } });
  const [, port = ''] = await running.until(/port: (\d+)/);
  return port;
}

describe('[fault G1] The code in docs/guide/extending.md', () => {
  it('has a log that serves a gateway', async () => {
    const port = await start(project(), 'gateway.js');
    const client = await PlainClient.open(`ws://127.0.0.1:${port}/events?since=first`);
    expect((await client.close()).code).toBe(1000);
  });

  it('has a log that passes the published suite, as the page runs it', async () => {
    const args = ['--test', '--test-reporter=tap', 'forgetful.test.js'];
    const { code, stdout } = await startProcess(args, { cwd: project() }).exited;
    expect(stdout.match(/^\s*not ok .*/gm) ?? []).toEqual([]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^# pass \d\d$/m);
  });

  it('has an admission that refuses a client without a session, and names a client with one', async () => {
    const running = startProcess(['admission-gateway.js'], { cwd: project(), env: { PORT: '0' } });
    const [, port = ''] = await running.until(/port: (\d+)/);
    expect((await refusal(`ws://127.0.0.1:${port}/events`)).statusCode).toBe(401);
    await PlainClient.open(`ws://127.0.0.1:${port}/events`, { headers: { Cookie: 'session=s-1' } });
    await running.until(/ada is here\n/);
  });

  it('has an observer that is told of refused clients, and of clients that connect and disconnect', async () => {
    const running = startProcess(['observer-gateway.js'], { cwd: project(), env: { PORT: '0' } });
    const [, port = ''] = await running.until(/port: (\d+)/);
    await refusal(`ws://127.0.0.1:${port}/nowhere`);
    await running.until(/refused: route\n/);
    await (await PlainClient.open(`ws://127.0.0.1:${port}/events`)).close();
    await running.until(/gone after \d+ ms and \d+ bytes\n/);
  });

  it('has counters that equal what clients received', async () => {
    const folder = project();
    const running = startProcess(['counting-gateway.js'], { cwd: folder, env: { PORT: '0' } });
    const [, port = ''] = await running.until(/port: (\d+)/);
    const client = await PlainClient.open(`ws://127.0.0.1:${port}/events?since=first`);
    const log = await openLog(`sqlite:${folder}/data/pregon.db`);
    afterTest(() => log.close());
    await log.append(numberedFrom(1, 3));
    await client.events.count(3);
    await running.until(/connections: 1,\s+events: 3,/);
    await running.until(/offsets: 0, oldestTime: undefined/);
  });

  it('has a transport that serves events as lines, in order', async () => {
    const folder = project();
    const port = await start(folder, 'lines-gateway.js');
    const log = await openLog(`sqlite:${folder}/data/pregon.db`);
    afterTest(() => log.close());
    await log.append(numberedFrom(1, 3));
    const ended = new AbortController();
    afterTest(() => ended.abort());
    const { body, status } = await fetch(`http://127.0.0.1:${port}/events?since=first`, {
      headers: { Accept: 'text/plain' },
      signal: ended.signal,
    });
    expect(status).toBe(200);
    let text = '';
    for await (const chunk of body ?? []) {
      text += Buffer.from(chunk).toString();
      if (text.split('\n').length > 3) break;
    }
    const lines = text.split('\n').filter((line) => line !== '');
    expect(lines.map((line) => JSON.parse(line).id)).toEqual(['event-1', 'event-2', 'event-3']);
  });
});
