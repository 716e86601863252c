import { type ComponentConnection, createComponentServer, type MessageComponent } from 'pregon';
import { describe, expect, it } from 'vitest';
import { afterTest } from '../../support/cleanup.js';
import { RecordingComponent, serveComponent } from '../../support/gateway/applications/recording-component.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { clientFrame, OPCODE, RawSocket } from '../../support/gateway/raw-socket.js';
import { eventually } from '../../support/waiting.js';

describe('The chat of the tutorial', () => {
  it('[004-13] needs ten lines of code, and relays each message to all other clients', async () => {
    const clients = new Set<ComponentConnection>();
    const chat: MessageComponent = {
      onOpen: (connection) => clients.add(connection),
      onMessage: (from, text) => {
        for (const client of clients) if (client !== from) client.send(text);
      },
      onClose: (connection) => clients.delete(connection),
      onError: (connection) => connection.close(),
    };
    const server = createComponentServer().mount('/chat', chat);
    const { port } = await server.listen({ port: 0 });
    afterTest(() => server.close());

    const open = () => PlainClient.open(`ws://127.0.0.1:${port}/chat`);
    const [ada, bob, eve] = [await open(), await open(), await open()];
    ada.socket.send('hello');
    for (const other of [bob, eve]) expect(await other.messages.count(1)).toEqual(['hello']);
    bob.socket.send('and back');
    expect(await eve.messages.count(2)).toEqual(['hello', 'and back']);
    expect(await ada.messages.count(1)).toEqual(['and back']);
    await eve.close();
    await eventually(
      () => clients.size,
      (size) => size === 2,
    );
  });
});

describe('A component', () => {
  it('[004-05][004-06][004-07] is called once for each event of a connection, in order', async () => {
    const component = new RecordingComponent();
    const { ws } = await serveComponent(component);
    const client = await PlainClient.open(ws('/chat'));
    client.socket.send('text');
    client.socket.send(Buffer.from([0, 255]));
    client.socket.send('');
    client.socket.close(4321, 'bye');
    const [closed] = await component.called('onClose');
    expect(component.methods).toEqual(['onOpen', 'onMessage', 'onMessage', 'onMessage', 'onClose']);
    expect((await component.called('onMessage')).map(({ data }) => data)).toEqual(['text', Buffer.from([0, 255]), '']);
    expect(closed?.close).toEqual({ code: 4321, reason: 'bye' });
    expect(new Set(component.calls.all.map(({ connection }) => connection)).size).toBe(1);
    expect(closed?.connection.isOpen).toBe(false);
    expect(closed?.connection.send('too late')).toBe(false);
  });

  it('[004-06] sees close code 1006 if a client disconnects without a close frame', async () => {
    const component = new RecordingComponent();
    const { port } = await serveComponent(component);
    const raw = await RawSocket.open(port);
    await raw.upgrade('/chat');
    raw.socket.destroy();
    const [closed] = await component.called('onClose');
    expect(closed?.close).toEqual({ code: 1006, reason: '' });
    expect(component.methods.filter((method) => method === 'onClose')).toHaveLength(1);
  });

  it('[004-07] sees the id and the address of a connection, its request and the path parameters', async () => {
    const component = new RecordingComponent();
    const { ws } = await serveComponent(component, { path: '/chat/:room/:who' });
    await PlainClient.open(ws('/chat/a%20room/ada?colour=red&n=1&n=2'), { headers: { 'X-Custom': 'yes' } });
    await PlainClient.open(ws('/chat/b/bob'));
    const [first, second] = (await component.called('onOpen', 2)).map(({ connection }) => connection);
    expect(first?.request).toMatchObject({
      url: '/chat/a%20room/ada?colour=red&n=1&n=2',
      path: '/chat/a%20room/ada',
      parameters: { room: 'a room', who: 'ada' },
      headers: { 'x-custom': 'yes', upgrade: 'websocket' },
      remoteAddress: '127.0.0.1',
    });
    expect(first?.request.query.getAll('n')).toEqual(['1', '2']);
    expect(first?.remoteAddress).toBe('127.0.0.1');
    expect(first?.id).toMatch(/^\S{10,}$/);
    expect(first?.id).not.toBe(second?.id);
    expect([second?.request.parameters['room'], [...(second?.request.query ?? [])]]).toEqual(['b', []]);
    expect(JSON.parse(JSON.stringify(first))).toEqual({
      id: first?.id,
      path: '/chat/a%20room/ada',
      remoteAddress: '127.0.0.1',
    });
  });

  it('[004-07] sends text and bytes unchanged, and anything else as JSON', async () => {
    const component = new RecordingComponent({
      onOpen(connection) {
        for (const data of ['ñ', new Uint8Array([1, 2]), { a: [1] }, 7, null, undefined]) connection.send(data);
      },
    });
    const { ws } = await serveComponent(component);
    const client = await PlainClient.open(ws('/chat'));
    expect(await client.messages.count(6)).toEqual(['ñ', Buffer.from([1, 2]), '{"a":[1]}', '7', 'null', 'null']);
    const connection = await component.connection();
    expect(() => connection.send(1n)).toThrow(TypeError);
    expect(connection.isOpen).toBe(true);
  });

  it('[004-07] can close a connection with 1000, or with its own code and reason', async () => {
    const component = new RecordingComponent({
      onMessage: (connection, data) =>
        data === 'plain' ? connection.close() : connection.close(4600, 'x'.repeat(200)),
    });
    const { ws } = await serveComponent(component);
    const [one, other] = [await PlainClient.open(ws('/chat')), await PlainClient.open(ws('/chat'))];
    one.socket.send('plain');
    other.socket.send('with a code');
    expect(await one.whenClosed()).toEqual({ code: 1000, reason: '' });
    expect(await other.whenClosed()).toEqual({ code: 4600, reason: 'x'.repeat(123) });
    await component.called('onClose', 2);
  });

  it('does not get messages that a client sends after the component has closed its connection', async () => {
    const component = new RecordingComponent({ onOpen: (connection) => connection.close(4500) });
    const { port } = await serveComponent(component);
    const raw = await RawSocket.open(port);
    await raw.upgrade('/chat');
    raw.write(clientFrame(OPCODE.text, 'but'));
    expect((await raw.closeFrame()).code).toBe(4500);
    raw.socket.destroy();
    await component.called('onClose');
    expect(component.methods).toEqual(['onOpen', 'onClose']);
  });

  it('cannot close a connection with a code that is reserved or out of range', async () => {
    const component = new RecordingComponent();
    const { ws } = await serveComponent(component);
    await PlainClient.open(ws('/chat'));
    const connection = await component.connection();
    for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 1000.5, Number.NaN]) {
      expect(() => connection.close(code), String(code)).toThrow(RangeError);
    }
    expect(connection.isOpen).toBe(true);
  });
});

describe('An error in a component', () => {
  it('[004-06][I-8] is passed to onError from any method, thrown or rejected, and closes no connection', async () => {
    const fail = (what: string) => () => {
      throw new Error(what);
    };
    const component = new RecordingComponent({
      onOpen: fail('open'),
      onMessage: (_connection, data) => (data === 'later' ? Promise.reject(new Error('later')) : fail('message')()),
      onClose: async () => fail('close')(),
    });
    const { ws } = await serveComponent(component);
    const client = await PlainClient.open(ws('/chat'));
    client.socket.send('now');
    client.socket.send('later');
    await component.called('onError', 3);
    expect((await component.connection()).isOpen).toBe(true);
    expect((await component.connection()).send('still here')).toBe(true);
    expect(await client.messages.count(1)).toEqual(['still here']);
    await client.close();
    const errors = await component.called('onError', 4);
    expect(errors.map(({ error }) => error.message)).toEqual(['open', 'message', 'later', 'close']);
    expect(new Set(errors.map(({ connection }) => connection.id)).size).toBe(1);
  });

  it('[I-8] that is not an Error reaches onError as an Error', async () => {
    const component = new RecordingComponent({ onMessage: () => Promise.reject('just text') });
    const { ws } = await serveComponent(component);
    (await PlainClient.open(ws('/chat'))).socket.send('x');
    expect((await component.called('onError'))[0]?.error).toEqual(new Error('just text'));
  });

  it('[I-8] in onError closes that connection with 4003 and is logged; other connections stay open', async () => {
    const logged: object[] = [];
    const logger = { error: (fields: object) => void logged.push(fields) };
    const twice = () => {
      throw new Error('twice');
    };
    for (const failing of [twice, async () => twice()]) {
      const component = new RecordingComponent({
        onMessage: (_connection, data) => {
          if (data === 'bad') throw new Error('once');
        },
        onError: failing,
      });
      const { ws } = await serveComponent(component, {}, { logger });
      const [good, bad] = [await PlainClient.open(ws('/chat')), await PlainClient.open(ws('/chat'))];
      bad.socket.send('bad');
      expect(await bad.whenClosed()).toEqual({ code: 4003, reason: 'internal error' });
      good.socket.send('good');
      await component.called('onMessage', 2);
      expect((await component.connection()).isOpen).toBe(true);
    }
    expect(logged).toHaveLength(2);
    expect(logged[0]).toMatchObject({ err: new Error('twice'), connection: expect.any(String) });
  });

  it('[004-06] is also reported if a client breaks the protocol; its connection is then closed', async () => {
    const component = new RecordingComponent();
    const { port } = await serveComponent(component, {}, { maxFrameBytes: 1_000 });
    const breaks: [Buffer, number][] = [
      [clientFrame(OPCODE.text, 'unmasked', { mask: false }), 1002],
      [clientFrame(OPCODE.text, Buffer.from([0xff])), 1007],
      [clientFrame(OPCODE.binary, Buffer.alloc(1_001)), 1009],
    ];
    for (const [i, [frame, code]] of breaks.entries()) {
      const raw = await RawSocket.open(port);
      await raw.upgrade('/chat');
      raw.write(frame);
      expect((await raw.closeFrame()).code).toBe(code);
      raw.socket.destroy();
      await component.called('onError', i + 1);
      await component.called('onClose', i + 1);
    }
    expect(component.methods.filter((method) => method === 'onMessage')).toEqual([]);
  });
});
