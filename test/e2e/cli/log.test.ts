import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { freePort } from '../../support/ports.js';
import { pregon, startPregon } from '../../support/processes.js';

const POSITION = /^[0-9a-f]{32}[0-9a-z]{3}$/;

async function publish(cwd: string, topic: string, data: unknown): Promise<string> {
  const { stdout } = await pregon(['publish', 'my_events', topic, JSON.stringify(data), '--type=T'], { cwd });
  return stdout.trim();
}

async function publishLines(cwd: string, lines: readonly string[], flags: readonly string[] = []) {
  const input = lines.map((line) => `${line}\n`).join('');
  return pregon(['publish', 'my_events', 'a.b', '--type=T', ...flags], { cwd, input });
}

async function tailAll(cwd: string, count: number) {
  const { stdout } = await pregon(['tail', 'my_events', '--since=first', `--limit=${count}`], { cwd });
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

describe('pregon publish', () => {
  it('prints the position of the event, which has the values of the flags', async () => {
    const cwd = temporaryFolder();
    const flags = ['--type=UserWasCreated', '--subject=user/42', '--source=/shop', '--id=e1'];
    const { code, stdout, stderr } = await pregon(
      ['publish', 'my_events', 'user.42.created', '{"id":"42"}', ...flags],
      { cwd },
    );
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.trim()).toMatch(POSITION);
    expect(await tailAll(cwd, 1)).toEqual([
      {
        specversion: '1.0',
        id: 'e1',
        source: '/shop',
        type: 'UserWasCreated',
        subject: 'user/42',
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        datacontenttype: 'application/json',
        data: { id: '42' },
        topic: 'user.42.created',
        exchange: 'my_events',
        position: stdout.trim(),
      },
    ]);
  });

  it('reads one JSON value per line from standard input, and prints the last position', async () => {
    const cwd = temporaryFolder();
    const lines = Array.from({ length: 1_200 }, (_, n) => JSON.stringify({ n, text: 'a\u2028b' }));
    const { code, stdout, stderr } = await publishLines(cwd, [...lines.slice(0, 600), '', ...lines.slice(600)]);
    expect([code, stderr]).toEqual([0, '1200 events stored\n']);
    const events = await tailAll(cwd, 1_200);
    expect(events.map(({ data }) => JSON.stringify(data))).toEqual(lines);
    expect(events.at(-1).position).toBe(stdout.trim());
  });

  it('stores each line at once, not only when the input ends', async () => {
    const cwd = temporaryFolder();
    const tail = startPregon(['tail', 'my_events', '--since=first'], { cwd });
    const publisher = startPregon(['publish', 'my_events', 'a.b', '-', '--type=T'], { cwd });
    publisher.type('1\n');
    await tail.untilLines(1);
    publisher.type('2\n3');
    await tail.untilLines(2);
    publisher.endInput();
    await tail.untilLines(3);
    expect((await publisher.exited).stderr).toBe('3 events stored\n');
  });

  it('ends at a line that is not JSON, with its number and the count of events stored before', async () => {
    const cwd = temporaryFolder();
    const { code, stderr } = await publishLines(cwd, ['1', '', '2', '{"a":', '5']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^pregon: line 4 is not JSON: [^\n]+; 2 events stored before \(EVENT_INVALID\)\n$/);
    expect((await tailAll(cwd, 2)).map(({ data }) => data)).toEqual([1, 2]);
    expect(JSON.parse((await pregon(['log', 'info', '--json'], { cwd })).stdout).events).toBe(2);
  });

  it.each([
    [['{'], /^pregon: DATA is not JSON: [^\n]+ \(EVENT_INVALID\)\n$/, 1],
    [['-', '--id=1'], /^pregon: --id names one event, so it cannot be used with standard input\n/, 2],
  ])('refuses %j', async (rest, message, code) => {
    const exit = await pregon(['publish', 'my_events', 'a.b', ...rest, '--type=T'], { cwd: temporaryFolder() });
    expect(exit.stderr).toMatch(message);
    expect(exit.code).toBe(code);
  });
});

describe('pregon tail', () => {
  it('follows the log from now, from the first event or after a position, for the given topics only', async () => {
    const cwd = temporaryFolder();
    const first = await publish(cwd, 'user.1.created', 1);
    await publish(cwd, 'bid.1.made', 2);
    const all = startPregon(['tail', 'my_events', '--since=first'], { cwd });
    const after = startPregon(['tail', 'my_events', `--since=${first}`], { cwd });
    const users = startPregon(['tail', 'my_events', '--since=first', '--topics=user.*.created,user.*.deleted'], {
      cwd,
    });
    await Promise.all([all.untilLines(2), after.untilLines(1), users.untilLines(1)]);
    await publish(cwd, 'user.2.created', 3);
    await pregon(['publish', 'other', 'user.3.created', '4', '--type=T'], { cwd });
    await publish(cwd, 'user.2.deleted', 5);
    const data = async (lines: Promise<string[]>) => (await lines).map((line) => JSON.parse(line).data);
    expect(await data(all.untilLines(4))).toEqual([1, 2, 3, 5]);
    expect(await data(after.untilLines(3))).toEqual([2, 3, 5]);
    expect(await data(users.untilLines(3))).toEqual([1, 3, 5]);
    expect((await all.kill('SIGINT')).code).toBe(0);
    expect((await after.kill('SIGTERM')).code).toBe(0);
  });

  it('[I-2] prints everything in order, and ends silently if its reader has gone', async () => {
    const cwd = temporaryFolder();
    const lines = Array.from({ length: 5_000 }, (_, n) => JSON.stringify({ n, fill: 'x'.repeat(500) }));
    await publishLines(cwd, lines);
    const events = await tailAll(cwd, 5_000);
    const digest = (texts: readonly string[]) => createHash('sha256').update(texts.join('\n')).digest('hex');
    expect(digest(events.map(({ data }) => JSON.stringify(data)))).toBe(digest(lines));
    const gone = startPregon(['tail', 'my_events', '--since=first'], { cwd });
    await gone.untilLines(1);
    gone.stopReading();
    const exit = await gone.exited;
    expect([exit.code, exit.stderr]).toEqual([0, '']);
  });

  it('[I-4] refuses an invalid position, and prints reset with the reason for one that cannot be served', async () => {
    const cwd = temporaryFolder();
    const first = await publish(cwd, 'a.b', 1);
    await publishLines(cwd, ['2', '3', '4']);
    const tail = (since: string) => pregon(['tail', 'my_events', `--since=${since}`, '--limit=1'], { cwd });
    const garbage = await tail('nonsense');
    expect([garbage.code, garbage.stderr]).toEqual([1, 'pregon: not a position: "nonsense" (POSITION_INVALID)\n']);
    expect((await tail(first)).code).toBe(0);
    await pregon(['log', 'trim', '--max-count=1'], { cwd });
    const truncated = await tail(first);
    expect([truncated.code, truncated.stdout]).toEqual([2, '']);
    expect(truncated.stderr).toMatch(/^pregon: reset: truncated; /);
    rmSync(join(cwd, 'data'), { recursive: true });
    await publishLines(cwd, ['5', '6']);
    const replaced = await tail(first);
    expect(replaced.code).toBe(2);
    expect(replaced.stderr).toMatch(/^pregon: reset: replaced; /);
  });
});

describe('pregon log', () => {
  it('shows the contents of the log, and trims it', async () => {
    const cwd = temporaryFolder();
    await publishLines(cwd, ['1', '2', '3', '4', '5']);
    const trimmed = await pregon(['log', 'trim', '--max-count=2'], { cwd });
    expect([trimmed.code, trimmed.stderr]).toEqual([0, '']);
    expect(trimmed.stdout).toMatch(/^3 events dropped, the floor is \S+\n$/);
    const { stdout } = await pregon(['log', 'info', '--json'], { cwd });
    const info = JSON.parse(stdout);
    expect(info).toMatchObject({ log: 'sqlite:data/pregon.db', events: 2, firstTime: expect.any(String) });
    for (const name of ['floor', 'first', 'last']) expect(info[name]).toMatch(POSITION);
    expect((await tailAll(cwd, 2)).map(({ data, position }) => [data, position])).toEqual([
      [4, info.first],
      [5, info.last],
    ]);
    const text = await pregon(['log', 'info'], { cwd });
    expect(text.stdout).toMatch(/^log +sqlite:data\/pregon\.db\nevents +2\n/);
  });

  it('does not create a log only to call it empty', async () => {
    const { code, stderr } = await pregon(['log', 'info', '--log=sqlite:wrong.db'], { cwd: temporaryFolder() });
    expect([code, stderr]).toEqual([
      1,
      'pregon: there is no log sqlite:wrong.db; name one with --log=sqlite:PATH (CONFIG_INVALID)\n',
    ]);
  });
});

describe('pregon connect', () => {
  async function gatewayUrl(cwd: string): Promise<string> {
    const gateway = startPregon(['run', '127.0.0.1:0', '--route=events', '--exchange=my_events'], { cwd });
    const [, url] = await gateway.until(/(ws:\S+)\n/);
    return String(url);
  }

  it('asks for history and topics, by query or by a subscribe frame', async () => {
    const cwd = temporaryFolder();
    await publish(cwd, 'user.1.created', 1);
    const position = await publish(cwd, 'bid.1.made', 2);
    await publish(cwd, 'user.2.created', 3);
    const url = await gatewayUrl(cwd);
    const flags = ['--wait-ms=300', '--since=first', '--topics=user.#'];
    const plain = await pregon(['connect', url, ...flags], { cwd });
    const framed = await pregon(['connect', url, ...flags, '--subprotocol=pregon.v1'], { cwd });
    const after = await pregon(['connect', url, '--wait-ms=300', `--since=${position}`], { cwd });
    const events = (stdout: string) =>
      [...stdout.matchAll(/^: (.*"specversion".*)$/gm)].map(([, json = '']) => JSON.parse(json).data);
    expect([plain, framed, after].map(({ code, stdout }) => [code, events(stdout)])).toEqual([
      [0, [1, 3]],
      [0, [1, 3]],
      [0, [3]],
    ]);
    expect(framed.stdout).toContain(': {"op":"welcome"');
    expect(framed.stdout).toContain('"op":"subscribed","id":1');
    expect(plain.stderr).toMatch(/closed: 1000\n$/);
  });

  it('[fault G11] says why it was refused or closed, and what to do', async () => {
    const cwd = temporaryFolder();
    const url = await gatewayUrl(cwd);
    const unknown = await pregon(['connect', `${url}/nothing`], { cwd });
    expect([unknown.code, unknown.stderr]).toEqual([
      1,
      'pregon: the gateway answered 404 Not Found: no route has the path /events/nothing; the gateway has no such route: compare the path with the routes that it prints at its start (CONNECTION_LOST)\n',
    ]);
    const foreign = await pregon(['connect', url, '--origin=https://evil.example'], { cwd });
    expect([foreign.code, foreign.stderr]).toEqual([
      1,
      'pregon: the gateway answered 403 Forbidden: pages of the origin https://evil.example may not connect; see allowedOrigins; the gateway does not allow this origin: give an allowed one with --origin=https://shop.example (CONNECTION_LOST)\n',
    ]);
    const closed = await pregon(['connect', `${url}?since=garbage`, '--wait-ms=10000'], { cwd });
    expect(closed.code).toBe(1);
    expect(closed.stderr).toMatch(/\nclosed: 4501 [^\n]+\n$/);
  });

  it('[fault G11] says what to do if nothing listens, the host is unknown, or another service listens', async () => {
    const server = createServer((socket) => socket.end('220 mail.example ESMTP\r\n'));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    afterTest(() => server.close());
    const address = server.address();
    const taken = typeof address === 'object' && address ? address.port : 0;
    const free = await freePort();
    const said = async (url: string) => {
      const { code, stderr } = await pregon(['connect', url]);
      expect(code, url).toBe(1);
      return stderr;
    };
    const [nobody, name, mail] = await Promise.all([
      said(`ws://localhost:${free}/events?token=s3cret`),
      said('ws://nobody.invalid/events'),
      said(`ws://127.0.0.1:${taken}/events`),
    ]);
    const where = `pregon: cannot connect to ws://localhost:${free}/events: connection refused`;
    expect(nobody).toBe(
      `${where}; nothing listens on this address: is the gateway running on this host and port? (CONNECTION_LOST)\n`,
    );
    expect(name).toMatch(/unknown host|not resolved/);
    expect(name).toMatch(/check the host name/);
    expect(mail).toMatch(/the server does not speak HTTP; check the port/);
  });

  it('escapes control characters in received messages', async () => {
    const cwd = temporaryFolder();
    const gateway = startPregon(['run', '127.0.0.1:0', '--route=chat', '--exchange=x', '--broadcast'], { cwd });
    const [, url = ''] = await gateway.until(/(ws:\S+)\n/);
    const reader = startPregon(['connect', url], { cwd });
    await reader.until(/connected/, { of: 'stderr' });
    await pregon(['connect', url, '--wait-ms=0'], { cwd, input: '\u001b[2Jé\u0007\n' });
    await reader.until(/^: \\u001b\[2Jé\\u0007\n/);
  });
});
