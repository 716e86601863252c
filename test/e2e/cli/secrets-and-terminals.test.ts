import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/cleanup.js';
import { pregon, startPregon } from '../../support/processes.js';
import { eventually } from '../../support/waiting.js';

const RUN = ['run', '127.0.0.1:0', '--route=events', '--exchange=e', '--log=sqlite:log.db', '--http-port=0'];

/** The arguments of a process and its descendants, as `ps` shows them to every user. */
function shownArguments(pid: number): string {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return [pid, ...children].map((id) => readFileSync(`/proc/${id}/cmdline`, 'utf8')).join('\n');
}

async function mayPublish(http: string, token: string): Promise<number> {
  const answer = await fetch(`${http}/publish/e/a.b`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: '{"type":"T"}',
  });
  return answer.status;
}

describe('A secret', () => {
  it('[fault B6] can come from a file or the environment, also for workers, so that ps does not show it', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'token'), 's3cret\n', { mode: 0o600 });
    const gateway = startPregon([...RUN, '--http-token-file=token', '--workers=2'], { cwd });
    const [, http = ''] = await gateway.until(/http +(http:\S+)/);
    expect(await mayPublish(http, 's3cret')).toBe(201);
    expect(await mayPublish(http, 'other')).toBe(401);
    expect(shownArguments(gateway.pid)).not.toContain('s3cret');
    await gateway.kill();
    const again = startPregon(RUN, { cwd, env: { PREGON_HTTP_TOKEN: 'fr0m-env' } });
    const [, other = ''] = await again.until(/http +(http:\S+)/);
    expect(await mayPublish(other, 'fr0m-env')).toBe(201);
    expect(again.stderr).toBe('');
  });

  it('[fault B6] on the command line causes a warning, and is not passed to workers as an argument', async () => {
    const cwd = temporaryFolder();
    const gateway = startPregon([...RUN, '--http-token', 's3cret', '--workers=2'], { cwd });
    const [, http = ''] = await gateway.until(/http +(http:\S+)/);
    expect(await mayPublish(http, 's3cret')).toBe(201);
    expect(gateway.stderr).toMatch(/^pregon: --http-token shows a secret .*--http-token-file or PREGON_HTTP_TOKEN\n$/);
    expect(shownArguments(gateway.pid).split('s3cret')).toHaveLength(2);
    expect(readdirSync(cwd)).toContain('log.db');
  });

  it('[fault B6] is refused if its file does not hold a single token', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'token'), 'two words\n');
    const refused = await pregon([...RUN, '--http-token-file=token'], { cwd });
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/token must contain one token.*CONFIG_INVALID/),
    });
  });
});

describe('Text from outside', () => {
  it('[fault B6] cannot control a terminal by tail, connect or the log; in JSON it stays unchanged', async () => {
    const cwd = temporaryFolder();
    const text = '\u001b[2J\u0085\u009b31m\u202eevil\u2066\u200f\u061c\ud800!';
    const log = '--log=sqlite:log.db';
    await pregon(['publish', 'e', 'a.b', JSON.stringify(text), '--type=T\u0085\u202e', log], { cwd });
    const tail = await pregon(['tail', 'e', '--since=first', '--limit=1', log], { cwd });
    expect(tail.stdout).toMatch(/^[\x20-\x7e]+\n$/);
    expect(JSON.parse(tail.stdout)).toMatchObject({ type: 'T\u0085\u202e', data: text });
    const gateway = startPregon(RUN, { cwd });
    const [, url = ''] = await gateway.until(/(ws:\S+events)/);
    const client = startPregon(['connect', `${url}?since=first`], { cwd });
    const [, shown = ''] = await client.until(/^: (.*)\n/);
    expect(shown).toMatch(/^[\x20-\x7e]+$/);
    expect(JSON.parse(shown)).toMatchObject({ data: text });
    const failed = await pregon(['connect', 'ws://127.0.0.1:1/\u202e\u0085'], { cwd });
    expect(failed.stderr).toMatch(/^[\x20-\x7e\n]+$/);
    const usage = await pregon(['publish', 'e', 'a', '1', '--ty\u202epe\u009b=T'], { cwd });
    expect(usage.stderr).toMatch(/^[\x20-\x7e\n]+$/);
    await client.kill('SIGTERM');
    await eventually(
      () => gateway.stdout.includes('connection closed'),
      (logged) => logged,
    );
    expect(gateway.stdout).toMatch(/^[\x20-\x7e\n]+$/);
  });
});
