import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { afterFile, temporaryFolder } from '../support/cleanup.js';
import { PlainClient } from '../support/gateway/plain-client.js';
import { SocketIoClient, type SocketIoClientOptions } from '../support/gateway/socketio-client.js';
import { describeInBrowser } from '../support/pages/browser.js';
import { Example, lookAt, problemsOf } from '../support/pages/example.js';
import { freePort } from '../support/ports.js';
import { startProcess } from '../support/processes.js';
import { eventually } from '../support/waiting.js';

const FOLDER = join(import.meta.dirname, '../../examples/express-socketio');

const start = (env?: Record<string, string>) => Example.start('express-socketio', env ? { env } : {});

let shared: Promise<Example> | undefined;

/** One process for all tests that do not depend on its start, its end or its stored messages. */
function startShared(): Promise<Example> {
  shared ??= Example.start('express-socketio', { after: afterFile });
  return shared;
}

/** Connects a client, and waits for the stored messages. */
async function open(example: Example, options?: SocketIoClientOptions): Promise<SocketIoClient> {
  const client = await SocketIoClient.open(example.url, options);
  await client.count('mensajes', 1);
  return client;
}

const PAYLOAD = { mensaje: 'hola', id: '123ABC', fecha: 1_700_000_000_000 };

describe('The example of Express and Socket.IO with stock clients', () => {
  it('[001-01][001-18] emits unasked, and answers the questions of a client', async () => {
    const client = await open(await start());
    expect(client.of('mensajes')).toEqual([[[]]]);
    expect(await client.ask('enviar-mensaje', PAYLOAD)).toMatchObject({ id: PAYLOAD.id });
  });

  it('[001-20][003-18][003-19] sends enviar-mensaje {mensaje, id, fecha} to all clients, the sender included', async () => {
    const example = await startShared();
    const clients = await Promise.all([open(example), open(example, { transports: ['polling'] }), open(example)]);
    clients[0].socket.emit('enviar-mensaje', PAYLOAD);
    for (const client of clients) expect(await client.count('enviar-mensaje', 1)).toEqual([[PAYLOAD]]);
  });

  it('[003-20][003-21] acknowledges with a value, and tolerates clients without a callback or with nonsense', async () => {
    const client = await open(await startShared());
    expect(await client.ask('enviar-mensaje', PAYLOAD)).toEqual({ id: PAYLOAD.id, recibido: expect.any(String) });
    for (const nonsense of [undefined, null, 7, 'text', {}, { ...PAYLOAD, id: {} }, { ...PAYLOAD, fecha: null }]) {
      for (const name of ['enviar-mensaje', 'enviar-a-otros', 'mensaje', 'escribir']) {
        client.socket.emit(name, nonsense);
        client.socket.emit(name, nonsense, 'no function');
        client.socket.emit(name);
      }
    }
    client.socket.emit('enviar-mensaje', PAYLOAD);
    expect(await client.ask('enviar-mensaje', { ...PAYLOAD, mensaje: '' })).toEqual({ error: expect.any(String) });
    expect(await client.ask('enviar-mensaje', PAYLOAD)).toMatchObject({ id: PAYLOAD.id });
    expect(client.of('enviar-mensaje')).toHaveLength(3);
  });

  it('[001-19][003-23] broadcasts to all other clients; the sender gets only the acknowledgement', async () => {
    const example = await startShared();
    const [sender, ...others] = await Promise.all([open(example), open(example), open(example)]);
    expect(await sender.ask('enviar-a-otros', PAYLOAD)).toMatchObject({ id: PAYLOAD.id });
    for (const client of others) expect(await client.count('enviar-mensaje', 1)).toEqual([[PAYLOAD]]);
    // A message to all clients follows, so a wrong delivery would have arrived by then.
    sender.socket.emit('mensaje', 'behind it');
    await sender.count('mensaje', 1);
    expect(sender.of('enviar-mensaje')).toEqual([]);
  });

  it('[001-21] mirrors the whole text to other clients at each character, and to later clients', async () => {
    const example = await start();
    const [writer, reader] = await Promise.all([open(example), open(example)]);
    for (const text of ['h', 'ho', 'hol', 'hola']) writer.socket.emit('escribir', text);
    await reader.count('escribir', 5);
    expect(reader.of('escribir').map(([text]) => text)).toEqual(['', 'h', 'ho', 'hol', 'hola']);
    expect(await (await open(example)).count('escribir', 1)).toEqual([['hola']]);
  });

  it('[001-22][001-23] stores messages as {socketid, mensaje}, and sends all of them to each new client', async () => {
    const example = await start();
    const [one, two] = await Promise.all([open(example), open(example)]);
    one.socket.emit('mensaje', 'first');
    await two.count('mensaje', 1);
    two.socket.emit('mensaje', 'second');
    await one.count('mensaje', 2);
    const kept = [
      { socketid: one.socket.id, mensaje: 'first' },
      { socketid: two.socket.id, mensaje: 'second' },
    ];
    expect(one.of('mensaje').map(([message]) => message)).toEqual(kept);
    expect((await open(example)).of('mensajes')).toEqual([[kept]]);
  });

  it('[003-02][003-14] logs clients that connect, return under the same id, and disconnect, also by kill -9', async () => {
    const example = await start();
    const client = await SocketIoClient.open(`${example.url}/notices`);
    await client.count('subscribed', 1);
    const { id } = client.socket;
    await example.process.until(new RegExp(`^${id} of /notices connected$`, 'm'));
    client.breakOff();
    await client.connected(2);
    expect([client.socket.id, client.recovered]).toEqual([id, [false, true]]);
    await example.process.until(new RegExp(`^${id} of /notices disconnected: transport close$`, 'm'));
    await example.process.until(new RegExp(`^${id} of /notices reconnected$`, 'm'));
    client.socket.disconnect();
    await example.process.until(new RegExp(`^${id} of /notices disconnected: client namespace disconnect$`, 'm'));

    const program = `
      const { io } = require('socket.io-client');
      const socket = io(${JSON.stringify(example.url)}, { transports: ['websocket'] });
      socket.on('connect', () => console.log(socket.id));`;
    const killed = startProcess(['-e', program]);
    const [, killedId] = await killed.until(/^(\S+)\n/);
    await killed.kill('SIGKILL');
    await example.process.until(new RegExp(`^${killedId} of / disconnected: transport`, 'm'));
  });

  it('[001-10][001-31] delivers what a request handler publishes to every client once, also over kill -9 of the server', async () => {
    const example = await start();
    const client = await SocketIoClient.open(`${example.url}/notices`, { auth: { since: 'first', names: 'type' } });
    const texts = () => client.of('NoticeWasPosted').map(([event]) => Reflect.get(Object(event), 'data'));
    expect((await post(example, { text: 'one' })).status).toBe(201);
    await client.count('NoticeWasPosted', 1);
    await example.kill();
    await example.restart();
    expect((await post(example, { text: 'two' })).status).toBe(201);
    expect((await post(example, { text: ' ' })).status).toBe(400);
    await client.count('NoticeWasPosted', 2);
    expect(texts()).toEqual([{ text: 'one' }, { text: 'two' }]);
    expect(client.recovered).toEqual([false, true]);
  });
});

describe('A stock client whose server is killed', () => {
  it('[001-10][003-13] retries at growing intervals until the server is back', async () => {
    const example = await start();
    const options = { reconnectionDelay: 40, reconnectionDelayMax: 10_000, randomizationFactor: 0 };
    const client = await SocketIoClient.open(example.url, options);
    const times: number[] = [];
    client.socket.io.on('reconnect_attempt', () => times.push(performance.now()));
    await example.kill();
    await eventually(
      () => times.length,
      (tries) => tries >= 5,
    );
    const pauses = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    for (const [i, pause] of pauses.slice(0, 4).entries()) expect(pause).toBeGreaterThanOrEqual(40 * 2 ** (i + 1) - 5);
    await example.restart();
    await client.connected(2);
  });
});

describe('The server of the example', () => {
  it('[001-08][001-14][003-07][003-08] serves its public files, the client script, and plain WebSockets on one port', async () => {
    const example = await startShared();
    const page = await fetch(example.url);
    expect(await page.text()).toContain('<script src="/socket.io/socket.io.js"');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect((await fetch(`${example.url}/socket.io/socket.io.js`)).status).toBe(200);
    const handshake = await (await fetch(`${example.url}/socket.io/?EIO=4&transport=polling`)).text();
    expect(JSON.parse(handshake.slice(1))).toMatchObject({ sid: expect.any(String), upgrades: ['websocket'] });
    expect((await fetch(`${example.url}/nothing`)).status).toBe(404);
    await PlainClient.open(`ws://127.0.0.1:${example.port}/notices`);
  });

  it('[003-03][003-04][003-09][003-25] is started by npm start with PORT set, and ends on SIGTERM, with or without clients', async () => {
    const [port, folder] = [await freePort(), temporaryFolder()];
    const env = { PORT: String(port), HOST: '127.0.0.1', LOG: `sqlite:${folder}/log.db` };
    const { scripts } = JSON.parse(readFileSync(join(FOLDER, 'package.json'), 'utf8'));
    const [program, ...args] = String(scripts.start).split(' ');
    expect(program).toBe('node');
    const started = startProcess(args, { cwd: FOLDER, env });
    await started.until(new RegExp(`^running on port ${port}\n`));
    const client = await SocketIoClient.open(`http://127.0.0.1:${port}/notices`, { reconnection: false });
    const { code, stderr } = await started.kill('SIGTERM');
    expect([code, stderr]).toEqual([0, '']);
    await eventually(
      () => client.socket.connected,
      (connected) => !connected,
    );
  });

  it('[003-05] takes PORT from .env if the environment does not set it', async () => {
    const [port, folder] = [await freePort(), temporaryFolder()];
    writeFileSync(join(folder, '.env'), `PORT=${port}\nHOST=127.0.0.1\n`);
    const started = startProcess([join(FOLDER, 'index.js')], { cwd: folder });
    await started.until(new RegExp(`^running on port ${port}\n`));
    expect((await fetch(`http://127.0.0.1:${port}`)).status).toBe(200);
  });

  it('[003-06] lets only pages of the configured origins connect and read its answers', async () => {
    const example = await start({ ORIGINS: 'https://shop.example,https://other.example' });
    const asked = { method: 'OPTIONS', headers: { 'access-control-request-method': 'POST' } };
    const answerTo = (origin: string) =>
      fetch(`${example.url}/api/notices`, { ...asked, headers: { ...asked.headers, origin } });
    const allowed = await answerTo('https://shop.example');
    expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([204, 'https://shop.example']);
    expect((await answerTo('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
    for (const transport of ['polling', 'websocket'] as const) {
      const from = (origin: string) => ({ transports: [transport], extraHeaders: { origin }, reconnection: false });
      await open(example, from('https://other.example'));
      const refused = new SocketIoClient(example.url, from('https://evil.example'));
      await new Promise((resolve) => refused.socket.once('connect_error', resolve));
    }
  });

  it('[003-10] also runs in CommonJS, with require("pregon") and require("./controllers/sockets.js")(io), without a warning', async () => {
    const example = await Example.start('express-socketio', { main: 'classic.cjs' });
    const client = await open(example);
    expect(await client.ask('enviar-mensaje', PAYLOAD)).toMatchObject({ id: PAYLOAD.id });
    expect(await (await fetch(example.url)).text()).toContain('/socket.io/socket.io.js');
    expect(example.process.stderr).toBe('');
  });
});

describe('The controller of the example', () => {
  it('[003-10][003-22] also runs on a plain require("socket.io")(server)', async () => {
    const program = `
      const server = require('node:http').createServer();
      const io = require('socket.io')(server);
      require('./examples/express-socketio/controllers/sockets.js')(io);
      server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;
    const started = startProcess(['-e', program]);
    const [, port] = await started.until(/^(\d+)\n/);
    const client = await SocketIoClient.open(`http://127.0.0.1:${port}`);
    expect(await client.ask('enviar-mensaje', PAYLOAD)).toMatchObject({ id: PAYLOAD.id });
    expect(started.stderr).toBe('');
  });
});

describeInBrowser('The page of the example of Express and Socket.IO in a real browser', (openPage) => {
  async function openOnline(example: Example): Promise<Page> {
    const page = await openPage();
    await page.goto(example.url);
    await page.locator('#online').waitFor();
    return page;
  }

  it('[001-16][003-15] shows Online or Offline as the connection changes, also over kill -9 of the server', async () => {
    const example = await start();
    const page = await openPage();
    const problems = problemsOf(page);
    await page.goto(example.url);
    const labels = async () => [await page.locator('#online').isVisible(), await page.locator('#offline').isVisible()];
    await eventually(labels, (seen) => String(seen) === 'true,false');
    expect(problems).toEqual([]);
    await example.kill();
    await eventually(labels, (seen) => String(seen) === 'false,true');
    await example.restart();
    await eventually(labels, (seen) => String(seen) === 'true,false');
  });

  it('[001-03][001-21] mirrors text character by character, and replaces the former text', async () => {
    const example = await start();
    const [writer, reader] = [await openOnline(example), await openOnline(example)];
    await reader.evaluate(() => {
      const seen: string[] = [];
      Reflect.set(window, 'pregonSeen', seen);
      const area = document.querySelector('textarea');
      const property = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value');
      if (!area || !property) throw new Error('there is no text area');
      Object.defineProperty(area, 'value', {
        get: () => property.get?.call(area),
        set: (text: string) => {
          seen.push(text);
          property.set?.call(area, text);
        },
      });
    });
    await writer.locator('#mirror').pressSequentially('hola');
    await eventually(
      () => reader.inputValue('#mirror'),
      (text) => text === 'hola',
    );
    expect(await reader.evaluate(() => Reflect.get(window, 'pregonSeen'))).toEqual(['h', 'ho', 'hol', 'hola']);
    await reader.fill('#mirror', 'adiós');
    await eventually(
      () => writer.inputValue('#mirror'),
      (text) => text === 'adiós',
    );
  });

  it('[001-22][001-24][001-25] sends a message by a button, and shows each in a line after its socket id', async () => {
    const example = await start();
    const [one, two] = [await openOnline(example), await openOnline(example)];
    const lines = (page: Page) => page.locator('#stored li').allTextContents();
    for (const [page, text] of [
      [one, 'first'],
      [two, '<b>second</b>'],
    ] as const) {
      await page.fill('#stored-text', text);
      await page.click('#store button');
      await eventually(
        () => lines(one),
        (seen) => seen.at(-1)?.endsWith(`: ${text}`) === true,
      );
    }
    const seen = await lines(one);
    expect(seen).toEqual([
      expect.stringMatching(/^[\w-]{20}: first$/),
      expect.stringMatching(/^[\w-]{20}: <b>second<\/b>$/),
    ]);
    const later = await openOnline(example);
    await eventually(
      () => lines(later),
      (shown) => JSON.stringify(shown) === JSON.stringify(seen),
    );
  });

  it('[003-17][003-23] emits enviar-mensaje by a button, shows the acknowledgement, and the other pages get it', async () => {
    const example = await start();
    const [one, two] = [await openOnline(example), await openOnline(example)];
    const count = (page: Page) => page.locator('#passing li').count();
    await one.fill('#passing-text', 'to all');
    await one.click('text=Send to all');
    for (const page of [one, two])
      await eventually(
        () => count(page),
        (seen) => seen === 1,
      );
    await one.fill('#passing-text', 'to others');
    await one.click('text=Send to others');
    await eventually(
      () => count(two),
      (seen) => seen === 2,
    );
    await eventually(
      () => one.textContent('#answer'),
      (text) => /^Received [0-9a-f-]{36}$/.test(text ?? ''),
    );
    expect(await count(one)).toBe(1);
  });

  it('[001-31] shows a notice that is posted over HTTP, once on every page', async () => {
    const example = await start();
    await post(example, { text: 'before' });
    const page = await openOnline(example);
    await post(example, { text: 'after' });
    await eventually(
      () => page.locator('#notices li').allTextContents(),
      (lines) => JSON.stringify(lines) === '["before","after"]',
    );
  });

  it('has the right layout on a desktop and on a phone', async () => {
    const example = await start();
    await post(example, { text: 'a notice' });
    await lookAt('example-express-socketio', openPage, async (page) => {
      await page.goto(example.url);
      await page.fill('#stored-text', 'a message');
      await page.click('#store button');
      await page.locator('#stored li').first().waitFor();
      await page.locator('#notices li').waitFor();
    });
  });
});

function post(example: Example, body: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${example.url}/api/notices`, { method: 'POST', headers, body: JSON.stringify(body) });
}
