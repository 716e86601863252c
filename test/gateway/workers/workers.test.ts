import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from '@pregon/client';
import { openLog } from 'pregon';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { appender, numberOf, openTestLog } from '../../support/gateway/gateway.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { SocketIoClient } from '../../support/gateway/socketio-client.js';
import { StreamClient } from '../../support/gateway/stream-client.js';
import { isRunning, Workers } from '../../support/gateway/workers.js';
import { stablePort } from '../../support/ports.js';
import { pregon } from '../../support/processes.js';
import { deleteQueues, describeWithBroker, SHARED_BROKER, testNames } from '../../support/rabbitmq.js';
import { eventually } from '../../support/waiting.js';

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

function many<T>(count: number, create: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => create(index)));
}

async function untilAllEnded(pids: readonly number[]): Promise<void> {
  await eventually(
    () => pids.filter(isRunning),
    (left) => left.length === 0,
  );
}

describe('Several workers on one port', () => {
  it('[I-1][I-2][I-3] share the connections, and each connection gets every event once, in order', async () => {
    const workers = await Workers.start({ logsOpened: true });
    const append = appender(await openTestLog(workers.logFile));
    const plain = await many(20, () => PlainClient.open(workers.url('ws', '/events')));
    const streams = await many(4, () => StreamClient.open(workers.url('http', '/events')));
    for (let round = 0; round < 20; round++) await append(100);
    for (const client of [...plain, ...streams]) expect(await client.numbers(2_000)).toEqual(range(1, 2_000));
    const late = await PlainClient.open(workers.url('ws', '/events?since=first'));
    expect(await late.numbers(2_000)).toEqual(range(1, 2_000));
    const opened = await workers.untilOpened(25);
    // The primary deals connections to the workers in turn, each to a worker that has accepted the one before.
    for (const worker of [0, 1]) expect(opened[worker]).toBeGreaterThan(3);
    expect(workers.primary.stdout.match(/listens on/g)).toHaveLength(1);
  });

  it('have a small young generation', async () => {
    const workers = await Workers.start();
    for (const pid of workers.pids()) {
      expect(readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0')).toContain('--max-semi-space-size=2');
    }
  });

  it('[I-2][I-3] lose no event if one is killed with SIGKILL under load and another takes its place', async () => {
    const workers = await Workers.start({ port: await stablePort() });
    const append = appender(await openTestLog(workers.logFile));
    await append(1);
    const clients = Array.from({ length: 16 }, () => {
      const client = createClient({
        url: workers.url('ws', '/events'),
        WebSocket,
        reconnect: { minDelayMs: 20, maxDelayMs: 200 },
      });
      afterTest(() => client.close());
      const numbers: number[] = [];
      client.subscribe({ since: 'first', onEvent: (event) => void numbers.push(numberOf(event)) });
      return numbers;
    });
    const stock = await many(8, () =>
      SocketIoClient.open(workers.url('http', '/events'), {
        transports: ['websocket'],
        auth: { names: 'event', since: 'first' },
      }),
    );
    let published = 1;
    for (let round = 0; round < 3; round++) {
      for (let batch = 0; batch < 15; batch++) {
        await append(20);
        published += 20;
        await delay(10);
      }
      const [victim = 0] = workers.pids();
      process.kill(victim, 'SIGKILL');
      for (let batch = 0; batch < 15; batch++) {
        await append(20);
        published += 20;
        await delay(10);
      }
      await workers.untilPids(2, victim);
    }
    for (const numbers of clients) {
      await eventually(
        () => numbers.length,
        (length) => length >= published,
      );
      expect(numbers).toEqual(range(1, published));
    }
    for (const client of stock) {
      await client.count('event', published);
      expect(client.numbers()).toEqual(range(1, published));
      expect(client.recovered.slice(1).every(Boolean)).toBe(true);
    }
    expect(workers.primary.stdout.match(/a worker has ended; restarting it/g)).toHaveLength(3);
  });

  it('[000-09] relay a message of a client to the connections of all workers, on every transport', async () => {
    const workers = await Workers.start({
      flags: ['--route=chat', '--exchange=events', '--broadcast'],
      logsOpened: true,
    });
    const plain = await many(6, () => PlainClient.open(workers.url('ws', '/chat')));
    const stock = await many(6, () => SocketIoClient.open(workers.url('http', '/chat'), { transports: ['websocket'] }));
    const opened = await workers.untilOpened(12);
    for (const worker of [0, 1]) expect(opened[worker]).toBeGreaterThan(1);
    const [speaker, ...others] = plain;
    for (let n = 1; n <= 50; n++) speaker?.socket.send(String(n));
    for (const client of others) expect((await client.messages.count(50)).map(Number)).toEqual(range(1, 50));
    for (const client of stock)
      expect((await client.count('message', 50)).map(([n]) => Number(n))).toEqual(range(1, 50));
    expect(speaker?.messages.all).toEqual([]);
  });

  it('share one HTTP port for operators: it is ready when all workers are, and any worker publishes', async () => {
    const workers = await Workers.start({
      flags: ['--route=events', '--exchange=events', '--http-port=0', '--http-token=secret'],
    });
    const [, http = ''] = await workers.primary.until(/http +(http:\S+)/);
    const client = await PlainClient.open(workers.url('ws', '/events'));
    for (let n = 0; n < 6; n++) {
      expect((await fetch(`${http}/health`, { headers: { connection: 'close' } })).status).toBe(200);
      expect((await fetch(`${http}/ready`, { headers: { connection: 'close' } })).status).toBe(200);
      const answer = await fetch(`${http}/publish/events/n.${n}`, {
        method: 'POST',
        headers: { authorization: 'Bearer secret', 'content-type': 'application/json', connection: 'close' },
        body: JSON.stringify({ type: 'NumberWasSaid', data: { n } }),
      });
      expect(answer.status).toBe(201);
    }
    expect(await client.numbers(6)).toEqual(range(0, 5));

    const [victim = 0] = workers.pids();
    process.kill(victim, 'SIGKILL');
    // A request that reaches the killed worker itself gets no answer.
    const look = () => fetch(`${http}/ready`, { headers: { connection: 'close' } }).catch(() => new Response());
    const seen = await eventually(look, ({ status }) => status === 503);
    expect(await seen.json()).toMatchObject({ detail: expect.stringMatching(/worker \d (is starting|has ended)/) });
    await eventually(look, ({ status }) => status === 200);
  });

  it('warn if subscribers are configured, because each worker has its own', async () => {
    const cwd = temporaryFolder();
    writeFileSync(
      join(cwd, 'mail.js'),
      'export default { events: ["*"], handle: ({ data }) => console.log("mail", data.n) };',
    );
    writeFileSync(
      join(cwd, 'pregon.yml'),
      'exchanges: [events]\nworkers: 2\nwebsocket: { routes: { events: { path: /events } } }\nsubscribers: [mail.js]\n',
    );
    const workers = await Workers.start({ cwd, flags: [] });
    expect(workers.primary.stdout).toMatch(/warn +each worker has its own subscribers.* workers=2/);
    await appender(await openTestLog(workers.logFile))(1);
    await workers.primary.until(/mail 1(.|\n)*mail 1/);
  });
});

describeWithBroker('Several workers on a log on RabbitMQ', () => {
  it('[I-1][I-2][I-3] deliver every event once, in order, and broadcast to each other; a queue shares the work among them', async () => {
    const { url, exchange } = testNames();
    const queue = `${exchange}-work`;
    afterTest(() => deleteQueues(SHARED_BROKER, [queue], []));
    const cwd = temporaryFolder();
    writeFileSync(
      join(cwd, 'work.js'),
      'export default { events: ["*"], handle: ({ data }) => console.log("worked on", data.n) };',
    );
    writeFileSync(
      join(cwd, 'pregon.yml'),
      `exchanges: ["${exchange}:${queue}"]\nwebsocket: { routes: { events: { path: /events, broadcast: true } } }\nsubscribers: [work.js]\n`,
    );
    const workers = await Workers.start({ cwd, flags: [], log: url });
    expect(workers.primary.stdout).not.toMatch(/each worker has its own subscribers/);
    const log = await openLog(url, { exchanges: [exchange] });
    afterTest(() => log.close());
    const clients = await many(8, () => PlainClient.open(workers.url('ws', '/events')));
    await appender(log)(100, { exchange });
    for (const client of clients) expect(await client.numbers(100)).toEqual(range(1, 100));
    const [speaker, ...others] = clients;
    speaker?.socket.send('hello');
    for (const client of others) expect(await client.messages.count(1)).toEqual(['hello']);
    const worked = () => [...workers.primary.stdout.matchAll(/worked on (\d+)\n/g)].map(([, n]) => Number(n));
    await eventually(worked, ({ length }) => length >= 100);
    expect(worked().sort((a, b) => a - b)).toEqual(range(1, 100));
    expect(await workers.primary.kill('SIGTERM')).toMatchObject({ code: 0 });
    expect(readdirSync(workers.temporary)).toEqual([]);
  });
});

describe('A process that a worker starts', () => {
  it('does not act as a worker itself', async () => {
    const cwd = temporaryFolder();
    writeFileSync(
      join(cwd, 'handler.js'),
      `import { execFileSync } from 'node:child_process';
      export default ({ logger }) => {
        const text = execFileSync(process.execPath, ['-p', 'process.env.PREGON_WORKER'], { encoding: 'utf8' });
        logger.info({}, 'started: ' + text.trim());
        return { opened() {} };
      };`,
    );
    writeFileSync(
      join(cwd, 'pregon.yml'),
      'exchanges: [x]\nwebsocket: { routes: { a: { path: /a, handlers: [handler.js] } } }\n',
    );
    const workers = await Workers.start({ cwd, flags: [] });
    expect(workers.primary.stdout.match(/started: .*/g)).toEqual([
      expect.stringMatching(/^started: undefined/),
      expect.stringMatching(/^started: undefined/),
    ]);
  });
});

describe('Workers that are stopped', () => {
  it('by SIGTERM drain their clients, which are told to reconnect, and leave nothing behind', async () => {
    const workers = await Workers.start();
    const clients = await many(8, () => PlainClient.open(workers.url('ws', '/events')));
    const pids = workers.pids();
    const exit = await workers.primary.kill('SIGTERM');
    expect(exit).toMatchObject({ code: 0, stderr: '' });
    for (const client of clients) expect(await client.whenClosed()).toMatchObject({ code: 4000 });
    expect(pids.filter(isRunning)).toEqual([]);
    expect(readdirSync(workers.temporary)).toEqual([]);
    expect(readdirSync(workers.cwd)).toEqual(['log.db']);
  });

  it('by Ctrl-C, which a terminal sends to all of them, leave no process and no socket', async () => {
    const workers = await Workers.start();
    const client = await PlainClient.open(workers.url('ws', '/events'));
    const pids = workers.pids();
    for (const pid of [...pids, workers.primary.pid]) process.kill(pid, 'SIGINT');
    expect(await workers.primary.exited).toMatchObject({ code: 0, stderr: '' });
    expect(await client.whenClosed()).toMatchObject({ code: 4000 });
    expect(pids.filter(isRunning)).toEqual([]);
    expect(readdirSync(workers.temporary)).toEqual([]);
    expect(existsSync(join(workers.cwd, 'log.db-ephemeral'))).toBe(false);
  });

  it('by a second Ctrl-C end at once', async () => {
    const workers = await Workers.start({ flags: ['--route=events', '--exchange=events', '--drain-ms=50000'] });
    // This client never answers the closing handshake, so draining would take its full time.
    const client = await PlainClient.open(workers.url('ws', '/events'));
    client.socket.pause();
    const pids = workers.pids();
    workers.primary.signal('SIGINT');
    await workers.primary.until(/stopping worker=(\d)(.|\n)*stopping worker=(?!\1)/);
    const began = performance.now();
    workers.primary.signal('SIGINT');
    expect(await workers.primary.exited).toMatchObject({ code: 130 });
    await untilAllEnded(pids);
    expect(performance.now() - began).toBeLessThan(40_000);
    expect(readdirSync(workers.temporary)).toEqual([]);
  });

  it('by SIGKILL of their primary end with it', async () => {
    const workers = await Workers.start();
    const pids = workers.pids();
    expect(pids).toHaveLength(2);
    await workers.primary.kill('SIGKILL');
    await untilAllEnded(pids);
    expect(readdirSync(workers.temporary)).toEqual([]);
  });

  it('drain one at a time, and a new worker replaces each of them', async () => {
    const workers = await Workers.start({ logsOpened: true });
    const clients = await many(10, () => PlainClient.open(workers.url('ws', '/events')));
    // The process that started first is worker 1.
    const [one = 0] = workers.pids();
    const [its = 0] = await workers.untilOpened(10);
    expect(its).toBeGreaterThan(0);
    process.kill(one, 'SIGTERM');
    await eventually(
      () => clients.filter(({ socket }) => socket.readyState === WebSocket.CLOSED).length,
      (closed) => closed === its,
    );
    await workers.untilPids(2, one);
    expect(clients.filter(({ socket }) => socket.readyState === WebSocket.OPEN)).toHaveLength(10 - its);
  });
});

describe('Workers that are stopped while they start', () => {
  it('all end at once; none reports that it listens, and no process or file is left behind', async () => {
    for (const started of [1, 3]) {
      const workers = new Workers({ workers: 3 });
      const pids = await workers.untilPids(started);
      const began = performance.now();
      const exit = await workers.primary.kill('SIGTERM');
      expect(performance.now() - began).toBeLessThan(40_000);
      expect(exit).toMatchObject({ code: 0, stderr: '' });
      expect(exit.stdout).not.toContain('listens on');
      expect(pids.filter(isRunning)).toEqual([]);
      expect(readdirSync(workers.temporary)).toEqual([]);
    }
  });
});

describe('Workers end and leave nothing behind', () => {
  async function expectNothingLeft(workers: Workers, pids: readonly number[]): Promise<void> {
    await workers.primary.exited;
    await untilAllEnded(pids);
    expect(workers.primary.stderr).toBe('');
    expect(readdirSync(workers.temporary)).toEqual([]);
  }

  it('if their primary is killed with SIGKILL while a worker starts, which notices it when it asks for a port', async () => {
    const cwd = temporaryFolder();
    const [loading, go] = [join(cwd, 'loading'), join(cwd, 'go')];
    writeFileSync(
      join(cwd, 'handler.js'),
      `import { existsSync, writeFileSync } from 'node:fs';
      import { createServer } from 'node:http';
      writeFileSync('loading', '');
      while (!existsSync('go'));
      createServer().listen(0);
      export default { opened() {} };`,
    );
    writeFileSync(
      join(cwd, 'pregon.yml'),
      'exchanges: [x]\nwebsocket: { routes: { a: { path: /a, handlers: [handler.js] } } }\n',
    );
    const workers = new Workers({ cwd, flags: [] });
    await eventually(() => existsSync(loading), Boolean);
    const pids = workers.pids();
    const { pid } = workers.primary;
    process.kill(pid, 'SIGKILL');
    await eventually(
      () => isRunning(pid),
      (runs) => !runs,
    );
    writeFileSync(go, '');
    await expectNothingLeft(workers, pids);
  });

  it('if their terminal is closed, which sends SIGHUP to all of them', async () => {
    const workers = await Workers.start();
    const pids = workers.pids();
    for (const pid of [...pids, workers.primary.pid]) process.kill(pid, 'SIGHUP');
    await expectNothingLeft(workers, pids);
  });
});

describe('Workers that cannot start', () => {
  it('report once that the port is in use', async () => {
    const busy = createServer().listen(0, '127.0.0.1');
    afterTest(() => busy.close());
    await new Promise((resolve) => busy.once('listening', resolve));
    const address = busy.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const cwd = temporaryFolder();
    const line = ['run', `127.0.0.1:${port}`, '--route=a', '--exchange=x', '--log=sqlite:log.db', '--workers=2'];
    const { code, stderr, stdout } = await pregon(line, { cwd });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `pregon: cannot listen on 127.0.0.1:${port}: the port is in use (LISTEN_FAILED)\n`,
    });
    expect(stdout).toBe('');
  });

  it.each(['0', 'abc', '257', '-1', '1.5', ''])('report --workers=%s as wrong usage', async (value) => {
    const { code, stderr } = await pregon(['run', '0', '--route=a', '--exchange=x', `--workers=${value}`]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^pregon: --workers must (be a whole number from 1 to 256, or auto|not be empty)/);
  });

  it('report a wrong number in the configuration with its place', async () => {
    const cwd = temporaryFolder();
    writeFileSync(
      join(cwd, 'pregon.yml'),
      'exchanges: [x]\nworkers: many\nwebsocket: { routes: { a: { path: /a } } }\n',
    );
    const { code, stderr } = await pregon(['run', '0'], { cwd });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'pregon.yml:2:10 workers: must be a whole number from 1 to 256, or auto\n',
    });
  });

  it.each(['memory:', 'sqlite::memory:'])('refuse a log in memory, which they cannot share: %s', async (log) => {
    const cwd = temporaryFolder();
    const line = ['run', '0', '--route=a', '--exchange=x', `--log=${log}`, '--workers=2'];
    const { code, stderr } = await pregon(line, { cwd });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^pregon: a log in memory \(.*\) belongs to a single process: 2 workers need .* \(CONFIG_INVALID\)\n$/,
    );
    expect(readdirSync(cwd)).toEqual([]);
  });

  it('report a temporary folder whose path is too long for their sockets', async () => {
    const long = join(temporaryFolder(), 'x'.repeat(90));
    mkdirSync(long);
    const line = ['run', '0', '--route=a', '--exchange=x', '--workers=2'];
    const { code, stderr } = await pregon(line, { cwd: temporaryFolder(), env: { TMPDIR: long } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^pregon: .* is too long for a socket: name a folder with a shorter path in TMPDIR\n$/);
    expect(readdirSync(long)).toEqual([]);
  });

  it('give up with a message if they end again and again at their start, and no other worker serves', async () => {
    const cwd = temporaryFolder();
    const handler =
      'import { existsSync } from "node:fs";\nif (existsSync("broken")) process.exit(7);\nexport default { opened() {} };';
    writeFileSync(join(cwd, 'handler.js'), handler);
    writeFileSync(
      join(cwd, 'pregon.yml'),
      'exchanges: [x]\nwebsocket: { routes: { a: { path: /a, handlers: [handler.js] } } }\n',
    );
    const workers = await Workers.start({ cwd, flags: [] });
    writeFileSync(join(cwd, 'broken'), '');
    for (const pid of workers.pids()) process.kill(pid, 'SIGKILL');
    const { code, stderr } = await workers.primary.exited;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^pregon: worker \d ended with exit code 7 again and again, and no other worker serves\n$/);

    const again = new Workers({ cwd, flags: [] });
    expect(await again.primary.exited).toMatchObject({ code: 7 });
    expect(readdirSync(again.temporary)).toEqual([]);
  });
});
