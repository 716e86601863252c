import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { afterFile, afterTest, temporaryFolder } from '../support/cleanup.js';
import { linesToType, startedByReadme, typed } from '../support/documents/example-readme.js';
import { Inbox } from '../support/gateway/inbox.js';
import { SocketIoClient } from '../support/gateway/socketio-client.js';
import { freePort } from '../support/ports.js';
import { type RunningProcess, startProcess } from '../support/processes.js';

const EXAMPLE = fileURLToPath(new URL('../../examples/nestjs-funkos/', import.meta.url));
const NAMESPACE = '/ws/v1/productos';

const goku = { name: 'Goku', category: 'SERIES', price: 15.5, quantity: 3 };

describe('The example nestjs-funkos', () => {
  it('[002-12] [002-13] [002-14] [002-15] [002-16] logs its gateway and each connection, and tells all clients who connects', async () => {
    const { url, process } = await startShared();
    await process.until(/FunkosGateway\].* listening on \/ws\/v1\/productos/);
    const first = await SocketIoClient.open(`${url}${NAMESPACE}`);
    const second = await SocketIoClient.open(`${url}${NAMESPACE}`);
    const { id } = second.socket;
    await process.until(new RegExp(`connected: ${id}`));
    expect((await first.count('connection', 2)).map(([text]) => text)).toEqual([
      `Funkos: ${first.socket.id} is here`,
      `Funkos: ${id} is here`,
    ]);
    expect((await second.count('connection', 1)).map(([text]) => text)).toEqual([`Funkos: ${id} is here`]);
    second.socket.disconnect();
    await process.until(new RegExp(`disconnected: ${id}`));
  });

  it('[002-17] sends the payload of `updateProduct` to all clients, the sender included', async () => {
    const { url } = await startShared();
    const [sender, other] = [await open(url), await open(url)];
    sender.socket.emit('updateProduct', { id: 1, name: 'Goku' });
    for (const client of [sender, other]) expect(await updates(client, 1)).toEqual([{ id: 1, name: 'Goku' }]);
  });

  it('[002-10] [002-18] [002-19] [002-22] [002-23] notifies clients of every create, update and delete over REST', async () => {
    const { url } = await start();
    const [client, polling] = [await open(url), await open(url, ['polling'])];
    const created = await rest(url, 'POST', '', goku);
    expect(created).toMatchObject({ status: 201, body: { id: 1, ...goku } });
    const updated = { ...goku, price: 12 };
    expect(await rest(url, 'PUT', '/1', updated)).toMatchObject({ status: 200, body: { id: 1, ...updated } });
    expect(await rest(url, 'GET', '')).toMatchObject({ status: 200, body: [{ id: 1, ...updated }] });
    expect(await rest(url, 'DELETE', '/1')).toMatchObject({ status: 200 });
    expect(await rest(url, 'GET', '/1')).toMatchObject({ status: 404 });
    const createdAt = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);
    for (const each of [client, polling]) {
      expect(await updates(each, 3)).toEqual([
        { entity: 'FUNKOS', type: 'CREATE', data: { id: 1, ...goku }, createdAt },
        { entity: 'FUNKOS', type: 'UPDATE', data: { id: 1, ...updated }, createdAt },
        { entity: 'FUNKOS', type: 'DELETE', data: { id: 1, ...updated }, createdAt },
      ]);
    }
  });

  it('[fault G5] does what its README says to type', async () => {
    const { url } = await start();
    const client = await open(url);
    const [create = '', remove = '', ...others] = linesToType(EXAMPLE).filter((line) => line.startsWith('curl'));
    expect(others).toEqual([]);
    const { port } = new URL(url);
    expect(JSON.parse(await typed(create, port))).toEqual({ id: 1, ...goku });
    await typed(remove, port);
    expect(await updates(client, 2)).toMatchObject([{ type: 'CREATE' }, { type: 'DELETE' }]);
  });

  it('[002-21] serves any client that speaks the protocol: text over a WebSocket', async () => {
    const { url } = await startShared();
    const texts = new Inbox<string>();
    const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
    afterTest(() => socket.terminate());
    socket.on('message', (data) => texts.push(String(data)));
    const said = (word: string) => texts.first((text): text is string => text.includes(word));
    await said('pingInterval');
    socket.send(`40${NAMESPACE},`);
    await said('is here');
    await rest(url, 'POST', '', goku);
    const text = await said('"updates"');
    const prefix = `42${NAMESPACE},`;
    expect(text.startsWith(prefix)).toBe(true);
    expect(JSON.parse(text.slice(prefix.length))).toMatchObject(['updates', { entity: 'FUNKOS', data: goku }]);
  });

  it('[002-20] notifies no client of a save that fails', async () => {
    const { url } = await start();
    const client = await open(url);
    await rest(url, 'POST', '', goku);
    expect(await rest(url, 'POST', '', goku)).toMatchObject({ status: 409 });
    expect(await rest(url, 'POST', '', { ...goku, price: -1 })).toMatchObject({ status: 400 });
    expect(await rest(url, 'PUT', '/7', goku)).toMatchObject({ status: 404 });
    expect(await rest(url, 'DELETE', '/7')).toMatchObject({ status: 404 });
    await rest(url, 'POST', '', { ...goku, name: 'Vegeta' });
    expect(await updates(client, 2)).toMatchObject([
      { type: 'CREATE', data: { name: 'Goku' } },
      { type: 'CREATE', data: { name: 'Vegeta' } },
    ]);
  });

  it('[G-1] [I-2] [002-11] delivers events of the route to a stock client over `kill -9`; the namespace follows API_VERSION', async () => {
    const settings = { PORT: String(await freePort()), API_VERSION: 'v2', ...(await storage()) };
    const first = await start(settings);
    const client = await SocketIoClient.open(`${first.url}/ws/v2/productos`);
    await rest(first.url, 'POST', '', goku);
    await client.count('FunkoWasCreated', 1);
    await first.process.kill('SIGKILL');
    const second = await start(settings);
    await rest(second.url, 'POST', '', { ...goku, name: 'Vegeta' });
    const names = (await client.count('FunkoWasCreated', 2)).map(([event]) => Object(event).data.name);
    expect(names).toEqual(['Goku', 'Vegeta']);
    expect(client.recovered).toEqual([false, true]);
  });

  it('[002-17] [002-18] [002-19] notifies the clients of each process once of what another process saved', async () => {
    const shared = storage();
    const first = await start(shared);
    const second = await start(shared);
    const [here, there] = [await open(first.url), await open(second.url)];
    for (let i = 0; i < 20; i++) {
      await rest(i % 2 === 0 ? first.url : second.url, 'POST', '', { ...goku, name: `Goku ${i}` });
    }
    here.socket.emit('updateProduct', 'the last');
    const names = Array.from({ length: 20 }, (_, i) => `Goku ${i}`);
    for (const client of [here, there]) {
      const all = await updates(client, 21);
      expect(all.filter((update) => update !== 'the last')).toMatchObject(names.map((name) => ({ data: { name } })));
    }
  });

  it('[002-14] ends on SIGTERM, and its clients are told', async () => {
    const { url, process } = await start();
    const client = await open(url);
    const told = new Promise((resolve) => client.socket.once('disconnect', resolve));
    process.signal('SIGTERM');
    await told;
    expect(await process.exited).toMatchObject({ signal: 'SIGTERM', stderr: '' });
  });
});

interface Started {
  readonly url: string;
  readonly process: RunningProcess;
}

/** A database and a log of its own. */
function storage(after = afterTest): { DATABASE: string; PREGON_LOG: string } {
  const folder = temporaryFolder(after);
  return { DATABASE: join(folder, 'funkos.db'), PREGON_LOG: `sqlite:${join(folder, 'pregon.db')}` };
}

/** Starts the example as `npm start` does. */
async function start(settings: Record<string, string> = {}, after = afterTest): Promise<Started> {
  const env = { PORT: String(await freePort()), NO_COLOR: '1', ...storage(after), ...settings };
  const process = startProcess(startedByReadme(EXAMPLE), { cwd: EXAMPLE, env, after });
  await process.until(/listening on http/);
  return { url: `http://127.0.0.1:${env.PORT}`, process };
}

let shared: Promise<Started> | undefined;

/** One process for all tests that do not depend on its start, its end or its products. */
function startShared(): Promise<Started> {
  shared ??= start({}, afterFile);
  return shared;
}

function open(url: string, transports: ('polling' | 'websocket')[] = ['websocket']): Promise<SocketIoClient> {
  return SocketIoClient.open(`${url}${NAMESPACE}`, { transports });
}

/** Waits for this many `updates` messages, and returns their payloads. */
async function updates(client: SocketIoClient, count: number): Promise<unknown[]> {
  return (await client.count('updates', count)).map(([notification]) => notification);
}

async function rest(url: string, method: string, path: string, body?: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${url}/rest/funkos${path}`, {
    method,
    headers,
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: await answer.json() };
}
