import { EventEmitter, once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { afterTest } from '../../../../test/support/cleanup.js';
import { listening } from '../../../../test/support/private-fields/listening.js';
import { startProcess } from '../../../../test/support/processes.js';
import {
  answerUnderWay,
  readAnew,
  replaceUpgradeDecision,
  upgradeDecision,
} from '../../src/private-fields/node-http.js';
import { forgetListenerTable, forgetPeerName, handleOf, watchDealt } from '../../src/private-fields/node-net.js';

const DEALT = fileURLToPath(new URL('../../../../test/support/private-fields/dealt.mjs', import.meta.url));

/** From this release on, a server decides about each upgrade. */
const [MAJOR = 0, MINOR = 0] = process.versions.node.split('.').map(Number);
const DECIDES = MAJOR > 24 || (MAJOR === 24 && MINOR >= 9);

/** The server's end of a new connection. */
async function accepted(): Promise<Socket> {
  const { server, port } = await listening();
  const connection = once(server, 'connection');
  const client = connect(port, '127.0.0.1').on('error', () => {});
  afterTest(() => client.destroy());
  const [socket] = await connection;
  if (!(socket instanceof Socket)) throw new TypeError('not a socket');
  return socket;
}

describe('the private fields of Node.js exist:', () => {
  it('the answer that is being sent on a connection', async () => {
    const seen: (ServerResponse | undefined)[] = [];
    const { port } = await listening((request, response) => {
      seen.push(answerUnderWay(request.socket), response);
      response.end('ok');
    });
    expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('ok');
    expect(seen[0]).toBeDefined();
    expect(seen[0]).toBe(seen[1]);
  });

  it('the listener by which a server reads a connection', async () => {
    const { server, port } = await listening();
    const own = createServer((_, response) => response.end('read anew'));
    server.removeAllListeners('connection');
    server.on('connection', (socket) => expect(readAnew(own, socket)).toBe(true));
    expect(await (await fetch(`http://127.0.0.1:${port}`, { headers: { Connection: 'close' } })).text()).toBe(
      'read anew',
    );
  });

  it('the decision about an upgrade, if this release has it', async () => {
    const server = createServer();
    const decide = () => false;
    expect(typeof upgradeDecision(server)).toBe(DECIDES ? 'function' : 'undefined');
    expect(replaceUpgradeDecision(server, decide)).toBe(DECIDES);
    expect(upgradeDecision(server)).toBe(DECIDES ? decide : undefined);
  });

  it('the address of a peer, which is looked up again on demand', async () => {
    const socket = await accepted();
    const { remoteAddress, remotePort } = socket;
    expect(remoteAddress).toBe('127.0.0.1');
    expect(forgetPeerName(socket)).toBe(true);
    expect(forgetPeerName(socket)).toBe(false);
    expect([socket.remoteAddress, socket.remotePort]).toEqual([remoteAddress, remotePort]);
  });

  it('the table of listeners, which is created again for the next listener', () => {
    const emitter = new EventEmitter();
    const heard: string[] = [];
    expect(forgetListenerTable(emitter)).toBe(true);
    expect(Reflect.get(emitter, '_events')).toBeUndefined();
    emitter.emit('said', 'too early');
    expect(emitter.listeners('said')).toEqual([]);
    emitter.on('said', (word) => heard.push(word));
    emitter.emit('said', 'word');
    expect(heard).toEqual(['word']);
    expect(forgetListenerTable(emitter)).toBe(false);
  });

  it('the handle of a socket, which ends the connection', async () => {
    const socket = await accepted();
    socket.on('error', () => {});
    const handle = handleOf(socket);
    expect(handle).toBeDefined();
    handle?.close();
    socket.destroy();
    expect(handleOf(socket)).toBeUndefined();
  });

  it('the connection that was handed to a worker: its client notices when the worker ends', async () => {
    const primary = startProcess([DEALT]);
    await primary.until(/dealt 1/);
    await primary.until(/client ended/);
  });
});

describe('without the private fields of Node.js, nothing changes for', () => {
  it('a stream that is not a socket', () => {
    const stream = new Duplex();
    expect(answerUnderWay(stream)).toBeUndefined();
    expect(readAnew(createServer(), stream, undefined)).toBe(true);
    expect(readAnew(createServer(), stream, 'no function')).toBe(false);
  });

  it('a socket without an address and a handle', () => {
    const socket = new Socket();
    expect(forgetPeerName(socket)).toBe(false);
    expect(handleOf(socket)).toBeUndefined();
    expect(socket.remoteAddress).toBeUndefined();
  });

  it('an emitter that stores its listeners elsewhere', () => {
    const emitter = { eventNames: () => [] };
    expect(forgetListenerTable(emitter)).toBe(false);
    expect(Object.keys(emitter)).toEqual(['eventNames']);
  });

  it('a process that is sent nothing', () => {
    const sent: unknown[] = [];
    const child = { send: (message: unknown) => sent.push(message) > 0 };
    const dealt = watchDealt(child);
    // The cluster module sends such messages to a worker, about everything except connections.
    expect(child.send({ act: 'disconnect' })).toBe(true);
    expect(dealt.size).toBe(0);
    expect(sent).toEqual([{ act: 'disconnect' }]);
  });
});
