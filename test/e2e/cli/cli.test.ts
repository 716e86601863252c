// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references as configurations hold them, not templates

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { temporaryFolder } from '../../support/cleanup.js';
import { freePort } from '../../support/ports.js';
import { type ProcessOptions, pregon, type RunningProcess, startPregon } from '../../support/processes.js';

interface StartedGateway {
  readonly process: RunningProcess;
  readonly port: number;
  readonly url: string;
}

/** Runs a gateway on a free loopback port, and waits for its banner. */
async function startGateway(
  cwd: string,
  flags: readonly string[],
  options: ProcessOptions = {},
): Promise<StartedGateway> {
  const process = startPregon(['run', '127.0.0.1:0', ...flags], { cwd, ...options });
  const [, port] = await process.until(/listens on 127\.0\.0\.1:(\d+) /);
  await process.until(/ {2}config .*\n/);
  return { process, port: Number(port), url: `ws://127.0.0.1:${port}` };
}

function publish(cwd: string, topic: string, data: unknown, exchange = 'my_events') {
  return pregon(['publish', exchange, topic, JSON.stringify(data), '--type=UserWasCreated'], { cwd });
}

/** The HTTP status that answers an upgrade request. */
async function upgradeStatus(url: string): Promise<number> {
  const socket = new WebSocket(url);
  return new Promise((resolve) => {
    socket.once('open', () => {
      socket.terminate();
      resolve(101);
    });
    socket.once('unexpected-response', (request, response) => {
      request.destroy();
      resolve(response.statusCode ?? 0);
    });
  });
}

const SUPPORT = fileURLToPath(new URL('../../support', import.meta.url));

async function greetSecurely(port: number): Promise<void> {
  const socket = new WebSocket(`wss://127.0.0.1:${port}/events`, { rejectUnauthorized: false });
  await once(socket, 'open');
  socket.terminate();
}

describe('pregon run', () => {
  it('[000-16] accepts this command line verbatim: run 0.0.0.0:PORT --route=events --exchange=my_events', async () => {
    const cwd = temporaryFolder();
    const port = await freePort();
    const gateway = startPregon(['run', `0.0.0.0:${port}`, '--route=events', '--exchange=my_events'], { cwd });
    await gateway.until(/ {2}config +none\n/);
    expect(gateway.stdout).toContain(`listens on 0.0.0.0:${port} (pid ${gateway.pid})`);
    expect(gateway.stdout).toContain(`  routes     events  ws://localhost:${port}/events\n`);
    expect(gateway.stdout).toContain('  exchanges  my_events\n  log        sqlite:data/pregon.db\n');
    const client = startPregon(['connect', `ws://localhost:${port}/events`], { cwd });
    await client.until(/connected/, { of: 'stderr' });
    await publish(cwd, 'user.42.created', { id: '42' });
    const [, json = ''] = await client.until(/^: (\{.*\})\n/);
    expect(JSON.parse(json)).toMatchObject({ type: 'UserWasCreated', topic: 'user.42.created', data: { id: '42' } });
  });

  it('[000-16] accepts both flags repeatedly', async () => {
    const cwd = temporaryFolder();
    const flags = ['--route=events', '--route=audit', '--exchange=a', '--exchange=b', '--exchange=a'];
    const { process, url } = await startGateway(cwd, flags);
    expect(process.stdout).toContain('  exchanges  a, b\n');
    expect(await Promise.all([upgradeStatus(`${url}/events`), upgradeStatus(`${url}/audit`)])).toEqual([101, 101]);
  });

  it('[000-06] reads routes from a YAML file, and answers an unknown path with 404', async () => {
    const cwd = temporaryFolder();
    const routes = 'events: { path: /events }, resources: { path: /rs }, teams: { path: /tms }';
    writeFileSync(join(cwd, 'pregon.yml'), `exchanges: [my_events]\nwebsocket:\n  routes: { ${routes} }\n`);
    const { process, url } = await startGateway(cwd, []);
    expect(process.stdout).toContain('  config     pregon.yml\n');
    const paths = ['/events', '/rs', '/tms', '/teams', '/resources', '/'];
    const statuses = await Promise.all(paths.map((path) => upgradeStatus(url + path)));
    expect(statuses).toEqual([101, 101, 101, 404, 404, 404]);
  });

  it('[000-16] refuses a route that is not configured, and lists the configured routes', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'pregon.yml'), 'websocket: { routes: { events: { path: /e }, teams: { path: /t } } }\n');
    const { code, stderr } = await pregon(['run', '0', '--route=evnets', '--exchange=x'], { cwd });
    expect([code, stderr]).toEqual([
      1,
      'pregon: there is no route "evnets" in pregon.yml; the routes are events, teams (ROUTE_UNKNOWN)\n',
    ]);
  });

  it.each([
    [['--exchange=x'], 'no route: name one with --route=NAME, or under websocket.routes in a configuration file'],
    [['--route=x'], 'no exchange: name one with --exchange=NAME, or under exchanges in a configuration file'],
    [
      ['--route=x', '--exchange=x', '--log=redis:x'],
      'a log of kind redis: is not supported; supported are sqlite:PATH and amqp://USER:PASSWORD@HOST/VHOST',
    ],
  ])('reports in one line what is missing or wrong: %j', async (flags, message) => {
    const { code, stderr } = await pregon(['run', '0', ...flags], { cwd: temporaryFolder() });
    expect([code, stderr]).toEqual([1, `pregon: ${message} (CONFIG_INVALID)\n`]);
  });

  it('reports every mistake in the configuration in one line with its place', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'my.yml'), 'websocket:\n  routes:\n    events:\n      path: events\n      topcis: []\n');
    const { code, stderr } = await pregon(['run', '0', '--config=my.yml', '--exchange=x'], { cwd });
    expect([code, stderr]).toEqual([
      1,
      'my.yml:4:13 websocket.routes.events.path: must start with "/"\n' +
        'my.yml:5:7 websocket.routes.events.topcis: unknown key; did you mean "topics"?\n',
    ]);
  });

  it('[000-08] does not start with a handler that asks for a route that does not exist', async () => {
    const cwd = temporaryFolder();
    const text = 'export default ({ connections }) => ({ c: connections("rooms"), opened() {} });';
    writeFileSync(join(cwd, 'chat.mjs'), text);
    writeFileSync(
      join(cwd, 'pregon.yml'),
      'websocket: { routes: { chat: { path: /chat, handlers: [./chat.mjs] } } }\n',
    );
    const { code, stderr } = await pregon(['run', '0', '--exchange=x'], { cwd });
    expect([code, stderr]).toEqual([
      1,
      'pregon.yml:1:56 websocket.routes.chat.handlers[0]: there is no route "rooms"; the routes are: chat\n',
    ]);
  });

  it('[000-14] [000-13] builds TypeScript handlers and subscribers once, and passes them what they need', async () => {
    const cwd = temporaryFolder();
    const broadcaster = `
      import type { HandlerContext, RouteHandlers } from 'pregon';
      export default function build({ connections, logger }: HandlerContext): RouteHandlers {
        logger.info({}, 'built the broadcaster');
        return { opened: (connection): void => void connections('chat').broadcast(\`\${connection.route} has \${connections('chat').count}\`) };
      }`;
    const subscriber = `
      export default ({ logger, connections }) => ({
        events: ['UserWasCreated'],
        handle(event) { connections('chat').broadcast('saw ' + event.type); },
      });`;
    writeFileSync(join(cwd, 'broadcaster.ts'), broadcaster);
    writeFileSync(join(cwd, 'mail.mjs'), subscriber);
    const yaml =
      'exchanges: [my_events]\nwebsocket: { routes: { chat: { path: /chat, topics: [none], handlers: [./broadcaster.ts] } } }\nsubscribers: [./mail.mjs]\n';
    writeFileSync(join(cwd, 'pregon.yml'), yaml);
    const { process, url } = await startGateway(cwd, []);
    const first = startPregon(['connect', `${url}/chat`], { cwd });
    await first.until(/: chat has 1\n/);
    const second = startPregon(['connect', `${url}/chat`], { cwd });
    await second.until(/: chat has 2\n/);
    await pregon(['publish', 'my_events', 'a.b', '1', '--type=Other'], { cwd });
    await publish(cwd, 'a.b', 1);
    await first.until(/: saw UserWasCreated\n/);
    expect(first.stdoutLines).toEqual([': chat has 1', ': chat has 2', ': saw UserWasCreated']);
    expect(process.stdout.match(/built the broadcaster/g)).toHaveLength(1);
  });

  it('[000-09] relays messages of a client to all other clients with --broadcast', async () => {
    const cwd = temporaryFolder();
    const { url } = await startGateway(cwd, ['--route=chat', '--exchange=x', '--broadcast']);
    const clients = [1, 2, 3].map(() => startPregon(['connect', `${url}/chat`], { cwd }));
    await Promise.all(clients.map((client) => client.until(/connected/, { of: 'stderr' })));
    const [first, second, third] = clients;
    first?.type('hello\n');
    await Promise.all([second?.until(/^: hello\n/), third?.until(/^: hello\n/)]);
    second?.type('and back\n');
    await first?.until(/^: and back\n/);
    expect(first?.stdout).toBe(': and back\n');
  });

  it('logs each line as JSON with --log-format=json, including connection events', async () => {
    const cwd = temporaryFolder();
    const gateway = startPregon(['run', '0', '--route=events', '--exchange=x', '--log-format=json', '--debug'], {
      cwd,
    });
    await gateway.untilLines(1);
    const banner = JSON.parse(gateway.stdoutLines[0] ?? '');
    expect(banner).toMatchObject({ msg: 'listening', host: '127.0.0.1', pid: gateway.pid, exchanges: ['x'] });
    await pregon(['connect', `${banner.url}/events`, '--wait-ms=0'], { cwd, input: 'hi\n' });
    await gateway.until(/connection closed.*\n/);
    await gateway.kill('SIGTERM');
    const lines = gateway.stdoutLines.map((line) => JSON.parse(line));
    expect(lines.map(({ msg }) => msg)).toEqual([
      'listening',
      'connection opened',
      'connection message',
      'connection closed',
      'stopping',
      'stopped',
    ]);
    expect(lines[3]).toMatchObject({ route: 'events', code: 1000, connection: lines[1].connection });
    expect([lines[1].level, lines[3].level]).toEqual([20, 30]);
  });

  it('logs one line for each connection when it has closed', async () => {
    const cwd = temporaryFolder();
    const { process, url } = await startGateway(cwd, ['--route=events', '--exchange=x']);
    await pregon(['connect', `${url}/events`, '--wait-ms=0'], { cwd });
    await process.until(
      /\n\d\d:\d\d:\d\d\.\d{3} info {2}connection closed connection=\S+ route=events transport=websocket remoteAddress=127\.0\.0\.1 code=1000 openMs=\d+ bytes=\d+\n/,
    );
    expect(process.stdout).not.toContain('connection opened');
  });

  it('logs a client’s message in one line, whatever it contains, and escapes terminal control characters', async () => {
    const { process, url } = await startGateway(temporaryFolder(), ['--route=events', '--exchange=x']);
    const socket = new WebSocket(`${url}/events`);
    await once(socket, 'open');
    socket.close(4321, '\u009b31m\u001b[31m\r\n00:00:00.000 info  all is well\u007f');
    await process.until(
      / code=4321 reason="\\u009b31m\\u001b\[31m\\r\\n00:00:00\.000 info {2}all is well\\u007f" openMs=\d+ bytes=\d+\n/,
    );
  });

  it('reports a busy port in one clear line, with exit code 1', async () => {
    const cwd = temporaryFolder();
    const { port } = await startGateway(cwd, ['--route=events', '--exchange=x']);
    const { code, stderr } = await pregon(['run', String(port), '--route=events', '--exchange=x'], { cwd });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      new RegExp(`^pregon: cannot listen on 127\\.0\\.0\\.1:${port}: [^\\n]+ \\(LISTEN_FAILED\\)\\n$`),
    );
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('drains and ends in time with exit code 0 after %s', async (signal) => {
    const cwd = temporaryFolder();
    const { process, url } = await startGateway(cwd, ['--route=events', '--exchange=x', '--drain-ms=3000']);
    const client = startPregon(['connect', `${url}/events`, '--subprotocol=pregon.v1'], { cwd });
    await client.until(/"op":"welcome"/);
    const began = performance.now();
    const { code } = await process.kill(signal);
    expect(code).toBe(0);
    expect(performance.now() - began).toBeLessThan(30_000);
    expect(process.stdout).toMatch(/stopping signal=SIG[\s\S]*stopped\n$/);
    const exit = await client.exited;
    expect(exit.stdout).toMatch(/"op":"draining","reconnectInMs":\d+/);
    expect([exit.code, exit.stderr.split('\n').at(-2)]).toEqual([1, 'closed: 4000 the gateway is going away']);
  });

  describe('pregon run, with a client that answers nothing,', () => {
    async function startWithMute(flags: readonly string[]) {
      const gateway = await startGateway(temporaryFolder(), ['--route=events', '--exchange=x', ...flags]);
      const mute = connect(gateway.port, '127.0.0.1');
      const key = 'dGhlIHNhbXBsZSBub25jZQ==';
      const headers = `Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}`;
      mute.write(`GET /events HTTP/1.1\r\n${headers}\r\n\r\n`);
      await once(mute, 'data');
      mute.on('error', () => mute.destroy());
      return gateway.process;
    }

    it('ends on SIGTERM within the time that --drain-ms gives', async () => {
      const gateway = await startWithMute(['--drain-ms=500']);
      const began = performance.now();
      expect((await gateway.kill('SIGTERM')).code).toBe(0);
      expect(performance.now() - began).toBeGreaterThan(400);
      expect(performance.now() - began).toBeLessThan(9_000);
    });

    it('ends at once on a second SIGINT', async () => {
      const gateway = await startWithMute(['--drain-ms=60000']);
      gateway.signal('SIGINT');
      await gateway.until(/stopping/);
      expect((await gateway.kill('SIGINT')).code).toBe(130);
    });
  });

  it('[002-02] serves wss with --cert and --key, and with the certificate in the configuration', async () => {
    const cwd = temporaryFolder();
    const [cert, key] = ['cert', 'key'].map((name) => join(SUPPORT, `tls/localhost.${name}.pem`));
    const flags = ['--route=events', '--exchange=x'];
    const { process, port } = await startGateway(cwd, [...flags, `--cert=${cert}`, `--key=${key}`]);
    expect(process.stdout).toContain(`wss://127.0.0.1:${port}/events`);
    await greetSecurely(port);
    writeFileSync(join(cwd, 'tls.yml'), `websocket: { tls: { cert: ${cert}, key: ${key} } }\n`);
    const configured = await startGateway(cwd, [...flags, '--config=tls.yml']);
    await greetSecurely(configured.port);
    const { code, stderr } = await pregon(['run', '0', ...flags, `--cert=${cert}`], { cwd });
    expect([code, stderr.split('\n')[0]]).toEqual([2, 'pregon: --cert and --key must be given together']);
    const missing = await pregon(['run', '0', ...flags, '--cert=nowhere.pem', `--key=${key}`], { cwd });
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringMatching(/^pregon: --cert: .*nowhere\.pem.*\n$/) });
    const swapped = await pregon(['run', '0', ...flags, `--cert=${key}`, `--key=${key}`], { cwd });
    expect(swapped).toMatchObject({ code: 1, stderr: expect.stringMatching(/^pregon: cert and key cannot be used: /) });
  });

  it('exits although a handler file keeps a timer running', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'tick.mjs'), 'setInterval(() => {}, 1000);\nexport default { opened() {} };\n');
    writeFileSync(join(cwd, 'pregon.yml'), 'websocket: { routes: { e: { path: /e, handlers: [tick.mjs] } } }\n');
    const { process } = await startGateway(cwd, ['--exchange=x']);
    expect((await process.kill('SIGTERM')).code).toBe(0);
  });

  it('goes on when its standard output is no longer read', async () => {
    const cwd = temporaryFolder();
    const { process, url } = await startGateway(cwd, ['--route=events', '--exchange=x']);
    process.stopReading();
    for (let i = 0; i < 3; i++) expect(await upgradeStatus(`${url}/events`)).toBe(101);
    expect((await process.kill('SIGTERM')).code).toBe(0);
  });

  it('serves health, readiness and publishing if they are configured', async () => {
    const cwd = temporaryFolder();
    const yaml =
      'exchanges: [my_events]\nwebsocket: { routes: { events: { path: /events } } }\nhttp: { port: 0, token: "${TOKEN}" }\n';
    writeFileSync(join(cwd, 'pregon.yml'), yaml);
    const { process, url } = await startGateway(cwd, [], { env: { TOKEN: 's3cret' } });
    const [, base] = await process.until(/ {2}http +(\S+)\n/);
    expect((await fetch(`${base}/ready`)).status).toBe(200);
    const client = startPregon(['connect', `${url}/events`], { cwd });
    await client.until(/connected/, { of: 'stderr' });
    const response = await fetch(`${base}/publish/my_events/user.1.created`, {
      method: 'POST',
      headers: { authorization: 'Bearer s3cret', 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'UserWasCreated', data: { id: '1' } }),
    });
    expect(response.status).toBe(201);
    const { id, position } = await response.json();
    const [, json = ''] = await client.until(/^: (\{.*\})\n/);
    expect(JSON.parse(json)).toMatchObject({ id, position, data: { id: '1' } });
  });
});

describe('The command line', () => {
  it.each([
    [['rn'], 'pregon: unknown command "rn"; did you mean "run"?\nUsage: pregon COMMAND'],
    [
      ['run', '--exchnage=x'],
      'pregon: unknown flag "--exchnage"; did you mean "--exchange"?\nUsage: pregon run [HOST:]PORT',
    ],
    [['run', 'here'], 'pregon: "here" is not an address to listen on'],
    [['log', 'inof'], 'pregon: unknown command "log inof"; did you mean "log info"?'],
    [
      ['publish', 'e', 't', '1'],
      'pregon: --type is missing: name what happened, such as --type=UserWasCreated\nUsage: pregon publish',
    ],
    [['log', 'trim', '--max-age=7'], 'pregon: --max-age must be a quantity such as 30s'],
    [['log', 'trim'], 'pregon: no limit is given'],
  ])('answers misuse with a suggestion, the usage and exit code 2: %j', async (args, start) => {
    const { code, stdout, stderr } = await pregon(args, { cwd: temporaryFolder() });
    expect([code, stdout, stderr.slice(0, start.length)]).toEqual([2, '', start]);
  });

  it('explains itself', async () => {
    const helps = await Promise.all(
      [['--help'], ['help', 'run'], ['log', 'trim', '--help'], ['--version']].map((line) => pregon(line)),
    );
    expect(helps.map(({ code, stderr }) => [code, stderr])).toEqual(helps.map(() => [0, '']));
    const [overview, run, trim, version] = helps.map(({ stdout }) => stdout);
    expect(overview).toContain('log trim');
    expect(run).toContain('--exchange=NAME');
    expect(trim).toContain('--max-bytes=SIZE');
    expect(version).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('shows a stack only on request', async () => {
    const cwd = temporaryFolder();
    const line = ['publish', 'e', 'a..b', '1', '--type=T'];
    expect((await pregon(line, { cwd })).stderr).toBe('pregon: not a topic: "a..b" (TOPIC_INVALID)\n');
    for (const exit of [
      await pregon([...line, '--debug'], { cwd }),
      await pregon(line, { cwd, env: { DEBUG: 'pregon' } }),
    ]) {
      expect(exit.stderr).toMatch(/^PregonError: not a topic: "a\.\.b"\n +at /);
      expect(exit.code).toBe(1);
    }
  });

  it('takes the log from the flag, then from PREGON_LOG, then from the configuration, and else uses data/pregon.db', async () => {
    const cwd = temporaryFolder();
    const used = async (flags: string[], env: Record<string, string> = {}) => {
      await pregon(['publish', 'e', 't', '1', '--type=T', ...flags], { cwd, env });
      const { stdout } = await pregon(['log', 'info', '--json', ...flags], { cwd, env });
      return JSON.parse(stdout).log;
    };
    expect(await used([])).toBe('sqlite:data/pregon.db');
    writeFileSync(join(cwd, 'pregon.yml'), 'log: sqlite:file.db\n');
    expect(await used([])).toBe('sqlite:file.db');
    expect(await used([], { PREGON_LOG: 'sqlite:env.db' })).toBe('sqlite:env.db');
    expect(await used(['--log=sqlite:flag.db'], { PREGON_LOG: 'sqlite:env.db' })).toBe('sqlite:flag.db');
  });
});
