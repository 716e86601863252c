import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openLog } from 'pregon';
import { describe, expect, it } from 'vitest';
import { afterTest, temporaryFolder } from '../support/cleanup.js';
import { codeBlocks } from '../support/documents/code-blocks.js';
import { PlainClient, refusal } from '../support/gateway/plain-client.js';
import { pregon, startPregon, startProcess } from '../support/processes.js';

const ROOT = resolve(import.meta.dirname, '../..');
const TOKEN_SECRET = 'the secret of the guide, of forty-two bytes';

/** A project that has the packages, and the files of docs/guide/access.md. */
function project(): string {
  const folder = temporaryFolder();
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  const blocks = codeBlocks(readFileSync(join(ROOT, 'docs/guide/access.md'), 'utf8'));
  for (const { file, text } of blocks) if (file !== undefined) writeFileSync(join(folder, file), text);
  return folder;
}

async function start(cwd: string, program: string): Promise<string> {
  const running = startProcess([program], { cwd, env: { PORT: '0', TOKEN_SECRET } });
  const [, port = ''] = await running.until(/port: (\d+)/);
  return port;
}

async function append(folder: string, topics: readonly string[]): Promise<void> {
  const log = await openLog(`sqlite:${folder}/data/pregon.db`);
  afterTest(() => log.close());
  await log.append(
    topics.map((topic, n) => ({
      specversion: '1.0',
      id: `event-${n}`,
      source: '/test',
      type: 'ThingWasDone',
      exchange: 'events',
      topic,
    })),
  );
}

const TOPICS = ['public.1', 'user.42.created', 'user.43.created', 'org.7.closed'];

describe('[H-02] [H-03] The code in docs/guide/access.md', () => {
  it('serves each token the topics of its rules, and an anonymous client the public ones', async () => {
    const folder = project();
    const port = await start(folder, 'gateway.js');
    await append(folder, TOPICS);
    const { stdout } = await startProcess(['sign.js'], { cwd: folder, env: { TOKEN_SECRET } }).exited;
    const url = `ws://127.0.0.1:${port}/events?since=first`;
    const client = await PlainClient.open(url, { headers: { Authorization: `Bearer ${stdout.trim()}` } });
    await client.events.count(3);
    expect(client.events.all.map(({ topic }) => topic)).toEqual(['public.1', 'user.42.created', 'org.7.closed']);
    const anonymous = await PlainClient.open(url);
    await anonymous.events.count(1);
    expect(anonymous.events.all.map(({ topic }) => topic)).toEqual(['public.1']);
    const changed = await refusal(url, { headers: { Authorization: `Bearer ${stdout.trim()}x` } });
    expect(changed.statusCode).toBe(401);
  });

  it('serves the same by pregon.yml, and the commands of the guide agree with it', async () => {
    const folder = project();
    mkdirSync(join(folder, 'keys'));
    writeFileSync(join(folder, 'keys/shop.txt'), `${TOKEN_SECRET}\n`);
    const running = startPregon(['run', '127.0.0.1:0'], { cwd: folder });
    const [, url = ''] = await running.until(/(ws:\S+events)/);
    await append(folder, TOPICS);
    const sign = ['token', 'sign', '--sub=42', '--expires=1h', '--claim', 'role=admin', '--claim', 'org={"id":7}'];
    const { stdout: token } = await pregon(sign, { cwd: folder });
    const headers = { Authorization: `Bearer ${token.trim()}` };
    const client = await PlainClient.open(`${url}?since=first`, { headers });
    await client.events.count(3);
    expect(client.events.all.map(({ topic }) => topic)).toEqual(['public.1', 'user.42.created', 'org.7.closed']);
    const anonymous = await PlainClient.open(`${url}?since=first`);
    await anonymous.events.count(1);
    expect(anonymous.events.all.map(({ topic }) => topic)).toEqual(['public.1']);
    const explained = await pregon(['access', 'explain', 'org.7.closed'], { cwd: folder, input: token });
    expect(explained).toMatchObject({ code: 0, stdout: expect.stringContaining('org.7.# matches') });
    const checked = await pregon(['token', 'check'], { cwd: folder, input: token });
    expect(checked).toMatchObject({ code: 0, stdout: expect.stringContaining('org.7.#, public.#, user.42.#') });
  });

  it('finds the identity of a session', async () => {
    const folder = project();
    const port = await start(folder, 'session-gateway.js');
    await append(folder, TOPICS);
    const url = `ws://127.0.0.1:${port}/events?since=first`;
    expect((await refusal(url)).statusCode).toBe(401);
    const client = await PlainClient.open(url, { headers: { Cookie: 'session=s-1' } });
    await client.events.count(1);
    expect(client.events.all.map(({ topic }) => topic)).toEqual(['user.42.created']);
  });
});
