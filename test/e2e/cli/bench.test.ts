import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openLog } from 'pregon';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { afterFile, afterTest, temporaryFolder } from '../../support/cleanup.js';
import { type Faults, startFaultyProxy } from '../../support/gateway/faulty-proxy.js';
import { freePort, stablePort } from '../../support/ports.js';
import { type Exit, type ProcessOptions, pregon, type RunningProcess, startPregon } from '../../support/processes.js';
import { eventually } from '../../support/waiting.js';

const TOKEN = 's3cret';

const SUPPORT = fileURLToPath(new URL('../../support', import.meta.url));

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

interface Gateway {
  readonly cwd: string;
  readonly process: RunningProcess;
  readonly url: string;
  /** The address that events are published to. */
  readonly publish: string;
}

async function startGateway(cwd = temporaryFolder(), port = 0, after = afterTest): Promise<Gateway> {
  const flags = ['--route=events', '--exchange=my_events', '--http-port=0', `--http-token=${TOKEN}`];
  const process = startPregon(['run', `127.0.0.1:${port}`, ...flags], { cwd, after });
  const [, http] = await process.until(/ {2}http +(\S+)\n/);
  const [, bound] = await process.until(/listens on 127\.0\.0\.1:(\d+) /);
  return { cwd, process, url: `ws://127.0.0.1:${bound}/events`, publish: `${http}/publish/my_events` };
}

/** Runs the tool to its end, and parses its output. */
async function bench(args: readonly string[], options: ProcessOptions = {}) {
  const exit = await pregon(['bench', ...args, '--json'], options);
  return { code: exit.code, stderr: exit.stderr, result: resultOf(exit) };
}

function resultOf(exit: Exit) {
  if (exit.stdout === '') throw new Error(`nothing was printed: ${exit.stderr}`);
  return JSON.parse(exit.stdout);
}

/** Waits until this many more events are in the log. */
async function untilPublished(cwd: string, count: number): Promise<void> {
  const log = await openLog(`sqlite:${join(cwd, 'data/pregon.db')}`);
  const before = await log.head();
  await eventually(
    async () => (await log.head()).offset - before.offset,
    (published) => published >= count,
  );
  await log.close();
}

function portOf(server: { address(): string | AddressInfo | null }): number {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new TypeError('the server does not listen');
  return address.port;
}

const CLEAN = { lost: 0, undelivered: 0, reordered: 0, duplicates: 0, unasked: 0 };

describe('pregon bench', () => {
  let shared: Gateway;

  // For the runs that do not change the gateway: each counts only its own events.
  beforeAll(async () => {
    shared = await startGateway(temporaryFolder(afterFile), 0, afterFile);
  });

  it('publishes over HTTP and exits with code 0 if each event arrives on each connection', async () => {
    const { url, publish } = shared;
    const args = [url, '--connections=40', '--connect-rate=1000', '--duration=2s', '--rate=100'];
    const { code, result } = await bench([...args, `--publish=${publish}/user.1.seen`], {
      env: { PREGON_TOKEN: TOKEN },
    });
    expect(result).toMatchObject({ ok: true, protocol: 'plain', url, ...CLEAN, others: { events: 0, messages: 0 } });
    expect(result.connections).toMatchObject({ asked: 40, opened: 40, openAtEnd: 40, failedAttempts: {}, lost: {} });
    expect(result.published).toMatchObject({ topics: 1, unconfirmed: 0 });
    expect(result.published.events).toBeGreaterThan(100);
    expect(result.delivered).toMatchObject({
      events: 40 * result.published.events,
      expected: 40 * result.published.events,
    });
    const { latencyMs } = result;
    expect(latencyMs.count).toBe(40 * result.published.events);
    const rising = [0, latencyMs.p50, latencyMs.p90, latencyMs.p99, latencyMs['p99.9'], latencyMs.max];
    expect(rising).toEqual([...rising].sort((a, b) => a - b));
    expect(code).toBe(0);
  });

  it('publishes to the log, and subscribes over pregon.v1 with separate topics for each connection', async () => {
    const { cwd, url } = shared;
    const args = [
      url,
      '--protocol=pregon.v1',
      '--exchange=my_events',
      '--duration=2s',
      '--rate=500',
      '--connections=20',
    ];
    const spread = ['--topics=user.{1..50}.#,all.#', '--topics-per-connection=10', '--size=1000'];
    const { code, result } = await bench([...args, ...spread], { cwd });
    expect(result).toMatchObject({ ok: true, protocol: 'pregon.v1', ...CLEAN });
    expect(result.published.topics).toBe(51);
    // 20 times 10 patterns go almost four times round the 51 topics.
    const each = result.published.events / 51;
    expect(result.delivered.expected / each).toBeGreaterThan(190);
    expect(result.delivered.expected / each).toBeLessThan(210);
    expect(result.delivered.events).toBe(result.delivered.expected);
    expect(result.delivered.bytes / (result.delivered.perSecond * result.seconds)).toBeGreaterThan(1_000);
    expect(code).toBe(0);
  });

  it.each(['plain', 'pregon.v1'])(
    '[I-2] [I-3] reconnects all connections at once with --reconnect-storm, and they miss nothing (%s)',
    async (protocol) => {
      const { cwd, url } = shared;
      const args = [
        url,
        '--exchange=my_events',
        '--duration=3s',
        '--rate=200',
        '--connections=100',
        '--connect-rate=1000',
      ];
      const { code, result } = await bench([...args, `--protocol=${protocol}`, '--reconnect-storm'], { cwd });
      expect(result).toMatchObject({ ok: true, ...CLEAN, storm: { connections: 100 } });
      expect(result.connections).toMatchObject({ opened: 100, openAtEnd: 100, resumed: 100, resets: 0, lost: {} });
      expect(result.storm.caughtUpSeconds).toBeGreaterThanOrEqual(result.storm.openSeconds);
      expect(result.delivered.events).toBe(100 * result.published.events);
      expect(code).toBe(0);
    },
  );

  it('exits with code 1 and the undelivered events if the gateway is killed and does not come back', async () => {
    const { cwd, process, url } = await startGateway();
    const args = [url, '--exchange=my_events', '--duration=3s', '--rate=100', '--connections=10', '--json'];
    const tool = startPregon(['bench', ...args], { cwd, input: '' });
    await untilPublished(cwd, 20);
    await process.kill('SIGKILL');
    const exit = await tool.exited;
    const result = resultOf(exit);
    expect(result).toMatchObject({ ok: false, ...CLEAN, undelivered: expect.any(Number) });
    expect(result.undelivered).toBeGreaterThan(10);
    expect(result.delivered.events + result.undelivered).toBe(10 * result.published.events);
    expect(result.connections).toMatchObject({ opened: 10, openAtEnd: 0, resumed: 0 });
    expect(result.connections.lost).toEqual({ 'closed with 1006: without a close frame': 10 });
    expect(result.connections.failedAttempts['connection refused']).toBeGreaterThanOrEqual(10);
    expect(exit.code).toBe(1);
  });

  it('[I-2] finds nothing missing if the gateway is killed and comes back, because connections resume', async () => {
    const port = await stablePort();
    const { cwd, process, url } = await startGateway(temporaryFolder(), port);
    const args = [url, '--exchange=my_events', '--duration=5s', '--rate=100', '--connections=10', '--json'];
    const tool = startPregon(['bench', ...args], { cwd, input: '' });
    await untilPublished(cwd, 20);
    await process.kill('SIGKILL');
    await startGateway(cwd, port);
    const exit = await tool.exited;
    const result = resultOf(exit);
    expect(result).toMatchObject({ ok: true, ...CLEAN });
    expect(result.connections).toMatchObject({ openAtEnd: 10, resumed: 10 });
    expect(result.delivered.events).toBe(10 * result.published.events);
    expect(exit.code).toBe(0);
  });

  it('[002-02] uses wss, offers compression, and says how to trust a certificate', async () => {
    const cwd = temporaryFolder();
    const [cert, key] = ['cert', 'key'].map((name) => join(SUPPORT, `tls/localhost.${name}.pem`));
    const flags = ['--route=events', '--exchange=my_events', `--cert=${cert}`, `--key=${key}`];
    const gateway = startPregon(['run', '127.0.0.1:0', ...flags], { cwd });
    const [, port] = await gateway.until(/listens on 127\.0\.0\.1:(\d+) /);
    const args = [`wss://localhost:${port}/events`, '--exchange=my_events', '--duration=1s', '--connections=5'];
    const untrusted = await pregon(['bench', ...args], { cwd });
    expect(untrusted.stderr).toMatch(/certificate not trusted \(\w+\); .*NODE_EXTRA_CA_CERTS/);
    const { code, result } = await bench([...args, '--compress', '--protocol=pregon.v1'], {
      cwd,
      env: { NODE_EXTRA_CA_CERTS: cert ?? '' },
    });
    expect(result).toMatchObject({ ok: true, ...CLEAN });
    expect(result.delivered.events).toBe(5 * result.published.events);
    expect([untrusted.code, code]).toEqual([1, 0]);
  });

  it('counts foreign events separately, and does not call them an error', async () => {
    const { cwd, url } = shared;
    const args = [url, '--exchange=my_events', '--duration=1h', '--rate=20', '--connections=5', '--json'];
    const tool = startPregon(['bench', ...args], { cwd, input: '' });
    await untilPublished(cwd, 2);
    await pregon(['publish', 'my_events', 'user.1', '-', '--type=UserWasSeen'], { cwd, input: '1\n2\n3\n' });
    const exit = await tool.kill('SIGINT');
    expect(resultOf(exit)).toMatchObject({ ok: true, ...CLEAN, others: { events: 15, messages: 0 } });
  });

  it('measures passing events without a publisher, with the latency from the time of each event', async () => {
    const { cwd, url } = shared;
    const tool = startPregon(['bench', url, '--duration=30s', '--connections=3'], { cwd, input: '' });
    const source = startPregon(
      ['bench', url, '--exchange=my_events', '--duration=3s', '--connections=1', '--rate=50', '--json'],
      { cwd, input: '' },
    );
    const published = resultOf(await source.exited).published.events;
    const exit = await tool.kill('SIGINT');
    expect(exit.stdout).toContain('loss is unknown without --publish or --exchange, 0 out of order, 0 twice\n');
    const [, others] = exit.stdout.match(/others +([\d,]+) events from other publishers/) ?? [];
    expect(Number(others?.replace(',', ''))).toBeGreaterThan(published);
    expect(exit.stdout).toMatch(/latency +p50 [\d.]+ ms/);
    expect(exit.code).toBe(0);
  });

  it('ends early on Ctrl-C, with the summary', async () => {
    const { cwd, url } = shared;
    const args = [url, '--exchange=my_events', '--duration=1h', '--rate=100', '--connections=10'];
    const tool = startPregon(['bench', ...args], { cwd, input: '' });
    await untilPublished(cwd, 20);
    const { code, stdout } = await tool.kill('SIGINT');
    expect(stdout).toMatch(/^connections +10 of 10 opened in [\d.]+ s \(\d+\/s\), 10 open at the end\n/);
    expect(stdout).toMatch(/\nhandshake +p50 /);
    expect(stdout).toMatch(/\nchecked +0 lost, 0 out of order, 0 twice\n/);
    expect(stdout).toMatch(/\nresult +all is well\n$/);
    expect(code).toBe(0);
  });
});

// These runs spend seconds waiting for events that never arrive, so they run concurrently, and their processes end with the file.
describe.concurrent('pregon bench, against a faulty gateway,', () => {
  let cwd: string;
  let url: string;

  // One gateway for all tests: each run counts its own events, and no test is about the start or the end of a gateway.
  beforeAll(async () => {
    ({ cwd, url } = await startGateway(temporaryFolder(afterFile), 0, afterFile));
  });

  let runs = 0;

  /** Gives each run its own topics, so that its proxy sees no event of another run. */
  function ownTopics(): string {
    runs += 1;
    return `--topics=run${runs}.#`;
  }

  async function benchThrough(faults: Faults, flags: readonly string[]) {
    const proxy = await startFaultyProxy(url.replace('/events', ''), faults);
    afterFile(proxy.close);
    const args = [`${proxy.url}/events`, '--exchange=my_events', '--rate=50', '--duration=2s', ...flags];
    const { code, result } = await bench(args, { cwd, after: afterFile });
    expect([result.ok, code]).toEqual([false, 1]);
    return result;
  }

  /**
   * Runs two connections and spoils events of the second one. With more connections, any might arrive as the second on
   * a busy machine.
   */
  function benchSpoilt(spoil: (number: number, text: string) => string[]) {
    const frame: Faults['frame'] = ({ text, connection }) => {
      const [, number] = /"id":"bench\w{12}-(\d{12})"/.exec(text) ?? [];
      return connection === 2 && number !== undefined ? spoil(Number(number), text) : [text];
    };
    return benchThrough({ frame }, ['--connections=2', ownTopics()]);
  }

  it('[I-2] finds two lost events', async () => {
    const result = await benchSpoilt((number, text) => (number === 5 || number === 8 ? [] : [text]));
    expect(result).toMatchObject({ ...CLEAN, lost: 2 });
    expect(result.findings).toEqual([{ fault: 'lost', connection: 2, number: 5 }]);
    expect(result.delivered.events).toBe(2 * result.published.events - 2);
  });

  it('[I-2] finds that all events are lost from some event on', async () => {
    const result = await benchSpoilt((number, text) => (number >= 10 ? [] : [text]));
    expect(result).toMatchObject({ ...CLEAN, lost: result.published.events - 9 });
  });

  it('[I-1] finds two reordered events', async () => {
    const held: string[] = [];
    const result = await benchSpoilt((number, text) => {
      if (number !== 6 && number !== 20) return [text, ...held.splice(0)];
      held.push(text);
      return [];
    });
    expect(result).toMatchObject({ ...CLEAN, reordered: 2 });
    expect(result.findings).toMatchObject([
      { fault: 'reordered', connection: 2, number: 6 },
      { fault: 'reordered', connection: 2, number: 20 },
    ]);
  });

  it('[I-3] finds three repeated events, one of which comes much later', async () => {
    const held: string[] = [];
    const result = await benchSpoilt((number, text) => {
      if (number === 2) held.push(text);
      if (number === 30) return [text, ...held.splice(0)];
      return number === 4 || number === 9 ? [text, text] : [text];
    });
    expect(result).toMatchObject({ ...CLEAN, duplicates: 3 });
    expect(result.findings.map(({ number }: { number: number }) => number)).toEqual([4, 9, 2]);
  });

  it('finds events outside the subscription', async () => {
    const path = (asked: string) => asked.replace(/\?.*/, '');
    const topics = ['--connections=2', '--topics=a.#', '--publish-topics=a.x,b.x'];
    const result = await benchThrough({ path }, topics);
    // Every second event goes to b.x, and arrives on both connections.
    expect(Math.abs(result.unasked - result.published.events)).toBeLessThanOrEqual(1);
    expect(result).toMatchObject({ ...CLEAN, unasked: result.unasked });
    expect(result.delivered.events).toBe(result.delivered.expected);
  });

  it('reports refused connections by reason', async () => {
    const refuse = (connection: number) => (connection > 2 ? 401 : undefined);
    const result = await benchThrough({ refuse }, ['--connections=5']);
    expect(result).toMatchObject(CLEAN);
    expect(result.connections).toMatchObject({
      asked: 5,
      opened: 2,
      openAtEnd: 2,
      failedAttempts: { '401 Unauthorized': 3 },
    });
    expect(result.advice['401 Unauthorized']).toMatch(/--token-file=/);
    expect(result.delivered.events).toBe(2 * result.published.events);
  });

  it('[fault G11] says that no event of an exchange arrived at all, and where to look, not only how many were lost', async () => {
    const args = ['bench', url, '--exchange=orders', '--duration=1s', '--connections=2', '--rate=20'];
    const { code, stdout } = await pregon(args, { cwd, after: afterFile });
    expect(code).toBe(1);
    expect(stdout).toMatch(/result {2,}NOT WELL: /);
    expect(stdout).toMatch(
      /\n +no event of the exchange "orders" arrived on any connection: does the gateway read it .*--exchange=orders of pregon run/,
    );
    const ours = await bench([url, '--exchange=my_events', '--duration=1s', '--connections=2', '--rate=20'], {
      cwd,
      after: afterFile,
    });
    expect([ours.code, ours.result.hint]).toEqual([0, undefined]);
  });

  it('retries connections that are refused for a while', async () => {
    const refuse = (connection: number) => (connection > 1 && connection < 4 ? 503 : undefined);
    const proxy = await startFaultyProxy(url.replace('/events', ''), { refuse });
    afterFile(proxy.close);
    const args = [`${proxy.url}/events`, '--exchange=my_events', '--duration=1s', '--connections=4'];
    const { code, result } = await bench(args, { cwd, after: afterFile });
    expect(result).toMatchObject({ ok: true, ...CLEAN });
    expect(result.connections).toMatchObject({
      opened: 4,
      openAtEnd: 4,
      failedAttempts: { '503 Service Unavailable': 2 },
    });
    expect(code).toBe(0);
  });
});

describe('pregon bench reports, with the remedy,', () => {
  const cases: [string, string[], number, RegExp][] = [
    [
      'a missing token',
      ['--publish=http://127.0.0.1:1/publish/e/t'],
      2,
      /--publish needs the token .*PREGON_TOKEN, or give --token=TOKEN\nUsage: pregon bench URL/,
    ],
    ['two publishers', ['--publish=http://h/publish/e', '--exchange=e'], 2, /give only one of them/],
    [
      'an invalid address',
      ['--publish=http://127.0.0.1:1/e/t', '--token=t'],
      2,
      /is not of the form http:\/\/HOST:PORT\/publish\/EXCHANGE\/TOPIC/,
    ],
    ['a rate without a publisher', ['--rate=5'], 2, /--rate needs a publisher/],
    ['too many connections', ['--connections=1000000'], 2, /--connections must be between 1 and 100000, not 1000000/],
    ['zero connections', ['--connections=0'], 2, /--connections must be between 1 and 100000, not 0/],
    ['an invalid duration', ['--duration=30'], 2, /--duration must be a time such as 30s/],
    ['an invalid timeout', ['--handshake-timeout=soon'], 2, /--handshake-timeout must be a time such as 30s/],
    ['a timeout that is too long', ['--handshake-timeout=2h'], 2, /--handshake-timeout must be between 1ms and 1h/],
    ['an invalid header', ['--header=x'], 2, /--header must have the form "Name: value"/],
    [
      'a missing log',
      ['--exchange=e', '--log=sqlite:nowhere.db'],
      1,
      /there is no log sqlite:nowhere\.db; name the gateway's with --log/,
    ],
    [
      'topics in the URL',
      ['?topics=a.%23'],
      2,
      /give topics with --topics, not in the URL: the check must know which events to expect/,
    ],
    ['an invalid topic', ['--publish=http://127.0.0.1:1/publish/e/%zz', '--token=t'], 2, /is not of the form http:/],
    [
      'topics without a subscriber',
      ['--publish=http://127.0.0.1:1/publish/e/a.b', '--token=t', '--topics=c.#,d'],
      2,
      /no connection would get an event: no pattern of --topics matches the published topics \(a\.b\)/,
    ],
    ['an invalid pattern', ['--topics=a..b'], 1, /not a topic pattern: "a\.\.b"/],
    [
      'a port on which nothing listens',
      [],
      1,
      /connection refused; nothing listens on this address: is the gateway running/,
    ],
  ];

  it.each(cases)('%s', async (_, flags, code, message) => {
    const port = await freePort();
    const [query = '', ...others] = flags[0]?.startsWith('?') ? flags : ['', ...flags];
    const url = `ws://127.0.0.1:${port}/events${query}`;
    const exit = await pregon(['bench', url, ...others], { cwd: temporaryFolder() });
    expect(exit.stderr).toMatch(message);
    expect([exit.code, exit.stdout]).toEqual([code, '']);
  });

  it('a wrong token, a wrong exchange, a wrong path, and an origin that is not allowed', async () => {
    const { cwd, url, publish } = await startGateway();
    const complaint = async (args: string[]) => (await pregon(['bench', ...args], { cwd })).stderr.split('\n').at(-2);
    expect(await complaint([url, `--publish=${publish}/t`, '--token=x'])).toMatch(
      /answers 401: the token is wrong; give the http\.token of the gateway/,
    );
    const other = publish.replace('my_events', 'other');
    expect(await complaint([url, `--publish=${other}/t`, `--token=${TOKEN}`])).toMatch(
      /answers 404: there is no exchange "other"/,
    );
    expect(await complaint([`${url}/x`])).toMatch(/404 Not Found; the gateway has no such route/);
    expect(await complaint([url, '--origin=https://evil.example'])).toMatch(/403 Forbidden; .*--origin=/);
  });

  it('connections that are not open when Ctrl-C ends the wait for a silent server', async () => {
    const silent = createServer();
    closing.push(() => silent.close());
    const arrived = once(silent.listen(0, '127.0.0.1'), 'connection');
    await once(silent, 'listening');
    const tool = startPregon(['bench', `ws://127.0.0.1:${portOf(silent)}/events`, '--connections=3'], { input: '' });
    const [socket] = await arrived;
    closing.push(() => socket.destroy());
    const { code, stdout } = await tool.kill('SIGINT');
    expect(stdout).toMatch(/^connections +0 of 3 opened .*\n(.*\n)*result +NOT WELL: 3 connections are not open\n$/);
    expect(code).toBe(1);
  });

  it('a server that completes the handshake and then stays silent', async () => {
    const silent = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    closing.push(() => silent.close());
    await once(silent, 'listening');
    const url = `ws://127.0.0.1:${portOf(silent)}/events`;
    const flags = ['--protocol=pregon.v1', '--handshake-timeout=500ms'];
    const { code, stderr } = await pregon(['bench', url, ...flags]);
    expect(stderr).toMatch(
      /cannot connect to \S+: not subscribed in time; the gateway is overloaded, or the server is not a gateway\n$/,
    );
    expect(code).toBe(1);
  });

  it('all its options, if it is asked for help', async () => {
    const [overview, help] = await Promise.all([pregon(['--help']), pregon(['help', 'bench'])]);
    expect(overview.stdout).toMatch(/\n {2}bench +load a running gateway, and check/);
    for (const flag of ['--connections=N', '--topics=PATTERNS', '--publish=URL', '--reconnect-storm', '--json']) {
      expect(help.stdout).toContain(`  ${flag} `);
    }
    expect(help.stdout).toMatch(/exit code is 0 if all is well; 1 if/);
  });
});
