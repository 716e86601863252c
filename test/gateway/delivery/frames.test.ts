import type { Connection } from 'pregon';
import { positionsOf } from 'pregon';
import { describe, expect, it } from 'vitest';
import { FramesClient, untilAtHead } from '../../support/gateway/frames-client.js';
import { numbers, startGateway } from '../../support/gateway/gateway.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { eventually } from '../../support/waiting.js';

describe('A subscription under pregon.v1', () => {
  it('comes after welcome, and nothing is delivered before it is open', async () => {
    const { ws, append, gateway } = await startGateway({ heartbeatMs: 7_000 });
    const client = await FramesClient.open(ws('/events?since=first&topics=a..b'));
    await append(2);
    expect(client.socket.protocol).toBe('pregon.v1');
    expect((await client.ask('{"op":"ping"}', 'pong')).op).toBe('pong');
    expect(client.frames.all).toHaveLength(2);
    const [connection] = [...gateway.connections('events')];
    expect(client.frames.all[0]).toEqual({ op: 'welcome', connection: connection?.id, heartbeatMs: 7_000 });
  });

  it('[I-2] states where it begins and whether it was recovered: live, since first, or since a position', async () => {
    const gateway = await startGateway();
    const { ws, append, log } = gateway;
    await append(4);
    await untilAtHead(gateway);
    const client = await FramesClient.open(ws('/events'));
    const head = (await positionsOf(log)).encode(await log.head());
    expect(await client.subscribe({ id: 1 })).toEqual({ op: 'subscribed', id: 1, position: head, recovered: false });
    const first = (await positionsOf(log)).encode(await log.floor());
    expect(await client.subscribe({ id: 2, since: 'first' })).toMatchObject({ position: first, recovered: true });
    await client.numbers(2, 4);
    const since = client.events(2)[1]?.position ?? '';
    expect(await client.subscribe({ id: 3, since })).toMatchObject({ position: since, recovered: true });
    await append(1);
    expect(await client.numbers(1, 1)).toEqual([5]);
    expect(await client.numbers(2, 5)).toEqual([1, 2, 3, 4, 5]);
    expect(await client.numbers(3, 3)).toEqual([3, 4, 5]);
  });

  it('gets no events frame if it is the only one of its connection', async () => {
    const { ws, append } = await startGateway();
    await append(500);
    const client = await FramesClient.open(ws('/events'));
    await client.subscribe({ id: 0, since: 'first' });
    await append(500);
    expect(await client.numbers(0, 1_000)).toEqual(numbers(1, 1_000));
    expect(client.controls('events')).toEqual([]);
  });

  it('narrows by topics; an event that matches two subscriptions comes once for each', async () => {
    const { ws, append } = await startGateway();
    const client = await FramesClient.open(ws('/events'));
    await client.subscribe({ id: 1, topics: ['n.1', 'n.3'] });
    await client.subscribe({ id: 9_007_199_254_740_991, topics: ['n.*'] });
    await append(4);
    expect(await client.numbers(1, 2)).toEqual([1, 3]);
    expect(await client.numbers(9_007_199_254_740_991, 4)).toEqual([1, 2, 3, 4]);
  });

  it('ends with unsubscribed; no event of it follows, and its id can be used again', async () => {
    const { ws, append } = await startGateway();
    const client = await FramesClient.open(ws('/events'));
    await client.subscribe({ id: 1 });
    await client.subscribe({ id: 2 });
    await append(1);
    await client.numbers(1, 1);
    const writing = append(2_000);
    await client.ask('{"op":"unsubscribe","id":1}', 'unsubscribed');
    const had = client.events(1).length;
    await writing;
    await client.numbers(2, 2_001);
    expect(client.events(1)).toHaveLength(had);
    expect(await client.ask('{"op":"unsubscribe","id":1}', 'error')).toMatchObject({
      id: 1,
      code: 'SUBSCRIPTION_UNKNOWN',
      retryable: false,
    });
    const since = client.events(1).at(-1)?.position ?? '';
    expect(await client.subscribe({ id: 1, since })).toMatchObject({ op: 'subscribed', recovered: true });
    expect(await client.numbers(1, 2_001)).toEqual(numbers(1, 2_001));
  });

  it('[I-4] is answered with reset, and begins at the head, if its position cannot be served', async () => {
    const { ws, append, log } = await startGateway();
    await append(3);
    const { offset, fingerprint } = await log.head();
    const client = await FramesClient.open(ws('/events'));
    const since = (await positionsOf(log)).encode({ offset: offset - 1, fingerprint });
    expect(await client.subscribe({ id: 1, since })).toMatchObject({ op: 'subscribed', recovered: false });
    expect(client.controls('reset')).toEqual([{ op: 'reset', id: 1, reason: 'replaced' }]);
    await append(1);
    expect(await client.numbers(1, 1)).toEqual([4]);
  });

  it('gets a checkpoint after a heartbeat without matching events, and a client can resume from it', async () => {
    const { ws, append, log } = await startGateway({ heartbeatMs: 100 });
    const client = await FramesClient.open(ws('/events'));
    await client.subscribe({ id: 5, topics: ['nothing.#'] });
    await append(10);
    const head = (await positionsOf(log)).encode(await log.head());
    await client.frames.until(
      () => client.controls('checkpoint').some(({ position }) => position === head),
      'a checkpoint at the head',
    );
    const seen = client.controls('checkpoint').length;
    await append(1);
    await client.frames.until(() => client.controls('checkpoint').length > seen, 'the next checkpoint');
    const other = await FramesClient.open(ws('/events'));
    expect(await other.subscribe({ id: 1, since: head })).toMatchObject({ position: head, recovered: true });
    expect(await other.numbers(1, 1)).toEqual([11]);
  });
});

describe('A send under pregon.v1', () => {
  const messages = {
    add: (_: Connection, data: unknown) => (Array.isArray(data) ? data.reduce((a, b) => a + b, 0) : undefined),
    nothing: () => undefined,
    slowly: async () => new Promise((resolve) => setImmediate(() => resolve({ slow: true }))),
    fail: () => {
      throw new Error('secret detail');
    },
    shout: (connection: Connection) => {
      connection.send({ loud: true }, { name: 'shouted' });
      connection.send('text');
      connection.send(Buffer.from([1, 2, 3]), { name: 'bytes' });
    },
  };
  const routes = { events: { path: '/events', handlers: [{ messages }] } };

  it('is answered with ack and the result of the handler, if any; a send without an id gets no answer', async () => {
    const { ws } = await startGateway({ routes });
    const client = await FramesClient.open(ws('/events'));
    expect(await client.ask('{"op":"send","id":1,"name":"add","data":[1,2,3]}', 'ack')).toEqual({
      op: 'ack',
      id: 1,
      data: 6,
    });
    expect(await client.ask('{"op":"send","id":2,"name":"nothing"}', 'ack')).toEqual({ op: 'ack', id: 2 });
    expect(await client.ask('{"op":"send","id":3,"name":"slowly"}', 'ack')).toMatchObject({ data: { slow: true } });
    client.sendText('{"op":"send","name":"add","data":[1]}');
    await client.ask('{"op":"ping"}', 'pong');
    expect(client.controls('ack').map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  it('is answered with error if the handler fails, without internal details, or if there is no handler', async () => {
    const { ws } = await startGateway({ routes });
    const client = await FramesClient.open(ws('/events'));
    const failed = await client.ask('{"op":"send","id":1,"name":"fail"}', 'error');
    expect(failed).toMatchObject({ id: 1, code: 'HANDLER_FAILED', retryable: false });
    expect(failed.message).not.toContain('secret');
    for (const name of ['unknown', 'toString', '__proto__', 'constructor']) {
      const error = await client.ask(JSON.stringify({ op: 'send', id: 2, name }), 'error');
      expect(error).toMatchObject({ id: 2, code: 'MESSAGE_UNKNOWN' });
    }
    expect((await client.ask('{"op":"send","id":1,"name":"add","data":[4]}', 'ack')).data).toBe(4);
  });

  it('can be answered with messages of any name; bytes arrive as base64', async () => {
    const { ws } = await startGateway({ routes });
    const client = await FramesClient.open(ws('/events'));
    await client.ask('{"op":"send","id":1,"name":"shout"}', 'ack');
    expect(client.controls('message')).toEqual([
      { op: 'message', name: 'shouted', data: { loud: true } },
      { op: 'message', name: 'message', data: 'text' },
      { op: 'message', name: 'bytes', data: 'AQID' },
    ]);
  });

  it('goes to the message handler with its name if no handler has that name', async () => {
    const message = (_: Connection, data: unknown, { name }: { name: string | undefined }) => [name, data];
    const { ws } = await startGateway({ routes: { events: { path: '/events', handlers: [{ message }] } } });
    const client = await FramesClient.open(ws('/events'));
    const { data } = await client.ask('{"op":"send","id":1,"name":"whatever","data":7}', 'ack');
    expect(data).toEqual(['whatever', 7]);
  });
});

describe('A frame under pregon.v1', () => {
  it('[I-8] is answered with an error, its id and a code if it is faulty; the connection and its subscriptions go on', async () => {
    const { ws, append } = await startGateway();
    const client = await FramesClient.open(ws('/events'));
    await client.subscribe({ id: 1 });
    const wrong: [string, object][] = [
      ['not JSON', { code: 'FRAME_INVALID' }],
      ['', { code: 'FRAME_INVALID' }],
      ['[]', { code: 'FRAME_INVALID' }],
      ['null', { code: 'FRAME_INVALID' }],
      ['7', { code: 'FRAME_INVALID' }],
      ['{}', { code: 'OP_UNKNOWN' }],
      ['{"op":"dance","id":4}', { code: 'OP_UNKNOWN', id: 4 }],
      ['{"op":7,"id":4}', { code: 'OP_UNKNOWN', id: 4 }],
      ['{"op":"__proto__"}', { code: 'OP_UNKNOWN' }],
      ['{"op":"subscribe"}', { code: 'FRAME_INVALID' }],
      ['{"op":"subscribe","id":-1}', { code: 'FRAME_INVALID' }],
      ['{"op":"subscribe","id":1.5}', { code: 'FRAME_INVALID' }],
      ['{"op":"subscribe","id":"1"}', { code: 'FRAME_INVALID' }],
      ['{"op":"subscribe","id":9007199254740992}', { code: 'FRAME_INVALID' }],
      ['{"op":"subscribe","id":1}', { code: 'ID_IN_USE', id: 1 }],
      ['{"op":"subscribe","id":2,"topics":"#"}', { code: 'FRAME_INVALID', id: 2 }],
      ['{"op":"subscribe","id":2,"topics":[]}', { code: 'FRAME_INVALID', id: 2 }],
      ['{"op":"subscribe","id":2,"topics":[1]}', { code: 'FRAME_INVALID', id: 2 }],
      ['{"op":"subscribe","id":2,"topics":["a..b"]}', { code: 'TOPIC_INVALID', id: 2 }],
      [JSON.stringify({ op: 'subscribe', id: 2, topics: Array(1_001).fill('a') }), { code: 'FRAME_INVALID', id: 2 }],
      ['{"op":"subscribe","id":2,"since":7}', { code: 'FRAME_INVALID', id: 2 }],
      ['{"op":"subscribe","id":2,"since":"garbage"}', { code: 'POSITION_INVALID', id: 2 }],
      ['{"op":"subscribe","id":2,"snapshot":1}', { code: 'FRAME_INVALID', id: 2 }],
      ['{"op":"subscribe","id":2,"snapshot":true}', { code: 'SNAPSHOT_NOT_OFFERED', id: 2 }],
      ['{"op":"unsubscribe","id":3}', { code: 'SUBSCRIPTION_UNKNOWN', id: 3 }],
      ['{"op":"unsubscribe"}', { code: 'FRAME_INVALID' }],
      ['{"op":"send","id":3}', { code: 'FRAME_INVALID', id: 3 }],
      ['{"op":"send","id":3,"name":""}', { code: 'FRAME_INVALID', id: 3 }],
      ['{"op":"send","id":3,"name":"nobody"}', { code: 'MESSAGE_UNKNOWN', id: 3 }],
    ];
    for (const [text, expected] of wrong) {
      const { op, message, retryable, ...rest } = await client.ask(text, 'error');
      expect({ text, ...rest }).toEqual({ text, ...expected });
      expect(message.length).toBeGreaterThan(0);
      expect(retryable).toBe(false);
    }
    await append(1);
    expect(await client.numbers(1, 1)).toEqual([1]);
  });

  it('[I-8] is answered with an error if it is binary', async () => {
    const { ws } = await startGateway();
    const client = await FramesClient.open(ws('/events'));
    client.socket.send(Buffer.from('{"op":"ping","id":3}'));
    expect(await client.control('error')).toMatchObject({ code: 'FRAME_INVALID' });
    expect(client.controls('pong')).toEqual([]);
    expect((await client.ask('{"op":"ping"}', 'pong')).op).toBe('pong');
  });

  it('may have unknown fields, which are ignored', async () => {
    const { ws } = await startGateway();
    const client = await FramesClient.open(ws('/events'));
    client.sendText('{"op":"subscribe","id":1,"later":{"x":1},"topics":["#"]}');
    expect(await client.control('subscribed')).toMatchObject({ id: 1 });
  });
});

describe('A connection under pregon.v1', () => {
  it('gets draining with a delay and then close code 4000 when the gateway closes', async () => {
    const { ws, gateway } = await startGateway();
    const client = await FramesClient.open(ws('/events'));
    await client.subscribe({ id: 1 });
    const closing = gateway.close({ spreadMs: 500 });
    const { reconnectInMs } = await client.control('draining');
    expect(reconnectInMs).toBeGreaterThanOrEqual(0);
    expect(reconnectInMs).toBeLessThanOrEqual(500);
    expect(await client.whenClosed()).toEqual({ code: 4000, reason: 'the gateway is going away' });
    await closing;
    expect(client.frames.all.at(-1)).toMatchObject({ op: 'draining' });
  });

  it('is removed from its route when the client closes it', async () => {
    const { ws, gateway } = await startGateway();
    const client = await FramesClient.open(ws('/events'));
    await PlainClient.open(ws('/events'));
    expect([...gateway.connections('events')].map(({ transport }) => transport)).toEqual(['pregon.v1', 'websocket']);
    await client.close();
    await eventually(
      () => gateway.connections('events').count,
      (count) => count === 1,
    );
  });
});
