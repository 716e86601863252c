import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FramesClient } from '../../support/gateway/frames-client.js';
import { openTestLog, type StartOptions, startGateway } from '../../support/gateway/gateway.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { StreamClient } from '../../support/gateway/stream-client.js';
import { eventually } from '../../support/waiting.js';

const routes = { chat: { path: '/chat', broadcast: true }, news: { path: '/news' } };

/** Two gateways on one log, each with its own handle. */
async function startTwo(other: StartOptions = {}) {
  const here = await startGateway({ routes });
  const there = await startGateway({ routes, logFile: here.logFile, ...other });
  return { here, there, chat: here.gateway.connections('chat') };
}

describe('A broadcast of one gateway', () => {
  it('reaches the connections of the route on all gateways, in the form of each transport', async () => {
    const { here, there, chat } = await startTwo();
    const near = await PlainClient.open(here.ws('/chat'));
    const plain = await PlainClient.open(there.ws('/chat'));
    const frames = await FramesClient.open(there.ws('/chat'));
    const stream = await StreamClient.open(there.http('/chat'));
    const elsewhere = await PlainClient.open(there.ws('/news'));
    const bytes = Buffer.from([0, 255, 10]);
    expect(chat.broadcast({ typing: ['ü', null, 1] }, { name: 'typing' })).toBe(1);
    chat.broadcast('two\nlines "quoted"');
    chat.broadcast(bytes);
    chat.broadcast(undefined, { name: 'nothing' });
    for (const { messages } of [near, plain]) {
      expect(await messages.count(4)).toEqual(['{"typing":["ü",null,1]}', 'two\nlines "quoted"', bytes, 'null']);
    }
    const framed = [
      { op: 'message', name: 'typing', data: { typing: ['ü', null, 1] } },
      { op: 'message', name: 'message', data: 'two\nlines "quoted"' },
      { op: 'message', name: 'message', data: bytes.toString('base64') },
      { op: 'message', name: 'nothing' },
    ];
    await frames.frames.until(() => frames.controls('message').length === 4, 'four messages');
    expect(frames.controls('message')).toEqual(framed);
    const ephemeral = () => stream.blocks.all.filter(({ name }) => name === 'ephemeral');
    await stream.blocks.until(() => ephemeral().length === 4, 'four blocks');
    expect(ephemeral().map(({ data }) => data)).toEqual(framed.map(({ op: _, ...rest }) => rest));
    expect(elsewhere.messages.all).toEqual([]);
  });

  it('from a client reaches all other clients on all gateways, but not the sender', async () => {
    const { here, there } = await startTwo();
    const from = await PlainClient.open(here.ws('/chat'));
    const others = [await PlainClient.open(here.ws('/chat')), await PlainClient.open(there.ws('/chat'))];
    from.socket.send('hello');
    for (const { messages } of others) expect(await messages.count(1)).toEqual(['hello']);
    others[1]?.socket.send('and back');
    expect(await from.messages.count(1)).toEqual(['and back']);
    expect(await others[0]?.messages.count(2)).toEqual(['hello', 'and back']);
    expect(others[1]?.messages.all).toEqual(['hello']);
  });

  it('stays in its gateway if it is local', async () => {
    const { here, there, chat } = await startTwo();
    const near = await PlainClient.open(here.ws('/chat'));
    const far = await PlainClient.open(there.ws('/chat'));
    expect(chat.broadcast('here', { local: true })).toBe(1);
    chat.broadcast('everywhere');
    expect(await near.messages.count(2)).toEqual(['here', 'everywhere']);
    expect(await far.messages.count(1)).toEqual(['everywhere']);
  });

  it('returns the number of local connections, and is ignored by a gateway that has no such route', async () => {
    const { here, there } = await startTwo({ routes: { news: { path: '/chat' } } });
    const far = await PlainClient.open(there.ws('/chat'));
    expect(here.gateway.connections('chat').broadcast('to chat')).toBe(0);
    expect(here.gateway.connections('news').broadcast('to news')).toBe(0);
    expect(await far.messages.count(1)).toEqual(['to news']);
  });

  it('throws a TypeError if JSON cannot represent the data, and reaches no client', async () => {
    const { here, there, chat } = await startTwo();
    const near = await PlainClient.open(here.ws('/chat'));
    const frames = await FramesClient.open(here.ws('/chat'));
    const far = await PlainClient.open(there.ws('/chat'));
    const cycle: { self?: object } = {};
    cycle.self = cycle;
    let deep: unknown = [];
    for (let depth = 0; depth < 100_000; depth++) deep = [deep];
    const refused = [cycle, 10n, { big: 10n }, deep, () => 1, Symbol('s'), { toJSON: () => undefined }];
    for (const data of refused) {
      expect(() => chat.broadcast(data)).toThrow(TypeError);
      expect(() => chat.broadcast(data, { local: true })).toThrow(TypeError);
    }
    chat.broadcast('last');
    for (const { messages } of [near, far]) expect(await messages.count(1)).toEqual(['last']);
    expect(await frames.control('message')).toMatchObject({ data: 'last' });
  });
});

describe('Gateways that start and stop', () => {
  it('receive broadcasts from start to end; the last one removes the socket file', async () => {
    const { here, there, chat } = await startTwo();
    const near = await PlainClient.open(here.ws('/chat'));
    await there.gateway.close({ spreadMs: 0 });
    chat.broadcast('alone');
    expect(await near.messages.count(1)).toEqual(['alone']);
    const third = await startGateway({ routes, logFile: here.logFile });
    const far = await PlainClient.open(third.ws('/chat'));
    third.gateway.connections('chat').broadcast('third');
    expect(await near.messages.count(2)).toEqual(['alone', 'third']);
    chat.broadcast('first');
    expect(await far.messages.count(2)).toEqual(['third', 'first']);
    await here.gateway.close({ spreadMs: 0 });
    await third.gateway.close({ spreadMs: 0 });
    expect(existsSync(`${here.logFile}-ephemeral`)).toBe(false);
  });

  it('are distinguished even if they share one log handle, which stays open after they close', async () => {
    const { logFile } = await startGateway();
    const log = await openTestLog(logFile);
    const [one, two] = [await startGateway({ routes, log }), await startGateway({ routes, log })];
    const [near, far] = [await PlainClient.open(one.ws('/chat')), await PlainClient.open(two.ws('/chat'))];
    one.gateway.connections('chat').broadcast('to both');
    for (const { messages } of [near, far]) expect(await messages.count(1)).toEqual(['to both']);
    await two.gateway.close({ spreadMs: 0 });
    one.gateway.connections('chat').broadcast('to one');
    expect(await near.messages.count(2)).toEqual(['to both', 'to one']);
    expect(await log.head()).toEqual(await log.floor());
  });

  it('[I-8] log text that is not a broadcast, and go on', async () => {
    const warnings: string[] = [];
    const logger = {
      info: () => undefined,
      error: () => undefined,
      debug: () => undefined,
      warn: (_fields: object, message: string) => void warnings.push(message),
    };
    const { here, there, chat } = await startTwo({ logger });
    const far = await PlainClient.open(there.ws('/chat'));
    const stranger = await here.log.ephemeral?.join(() => undefined);
    for (const text of ['', 'broadcast', 'elsewhere {"route":"chat","name":"n","data":1}']) stranger?.send(text);
    const tell = (text: string) => stranger?.send(`broadcast ${text}`);
    for (const text of ['no JSON', 'null', '[]', '{"route":"chat"}', '{"route":1,"name":2}']) tell(text);
    tell('{"route":"__proto__","name":"n","data":1}');
    tell('{"route":"chat","name":"n","data":"of another version","more":1}');
    expect(await far.messages.count(1)).toEqual(['of another version']);
    await eventually(
      () => warnings.length,
      (count) => count === 5,
    );
    chat.broadcast('goes on');
    expect(await far.messages.count(2)).toEqual(['of another version', 'goes on']);
    expect(new Set(warnings)).toEqual(new Set(['a broadcast from another gateway was not delivered']));
  });
});
