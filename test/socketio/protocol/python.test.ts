import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../support/cleanup.js';
import { appender, numbers, openTestLog, startGateway } from '../../support/gateway/gateway.js';
import { GatewayProcess } from '../../support/gateway/gateway-process.js';
import { stablePort } from '../../support/ports.js';
import { describeWithPython, PythonClient } from '../../support/socketio/python-client.js';
import { eventually } from '../../support/waiting.js';

interface Asked {
  ask(n: number, answer: (n: unknown) => void): void;
  told(...what: unknown[]): void;
}

describeWithPython('[002-21] python3-socketio', () => {
  for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
    it(`[I-1][I-3] gets events and messages by ${transports.join(' and ')}, and sends and answers messages`, async () => {
      const { gateway, http, append } = await startGateway<{ serverEvents: Asked }>();
      const events = gateway.io.of('/events');
      events.on('connection', (socket) => {
        socket.on('double', (n, answer) => typeof answer === 'function' && answer(Number(n) * 2));
        socket.on('echo', (bytes, answer) => typeof answer === 'function' && answer(bytes));
      });
      const client = await PythonClient.open(http(''), '/events', { topics: 'n.#', transports });
      await append(200, { padding: 500 });
      await client.says('event', 200);
      expect(client.numbers()).toEqual(numbers(1, 200));
      expect(await client.call('double', 21)).toBe(42);
      const [socket] = events.sockets.values();
      expect(await socket?.emitWithAck('ask', 1)).toBe(2);
      events.emit('told', { a: [1] }, Buffer.from([1, 255]));
      expect((await client.says('told'))[0]).toEqual([{ a: [1] }, '01ff']);
      expect(await client.transport()).toBe(transports.at(-1));
      client.end();
      await eventually(
        () => gateway.connections('events').count,
        (count) => count === 0,
      );
    });
  }

  it('[003-20] subscribes to more topics, and is told what is wrong with a request', async () => {
    const { http, append } = await startGateway();
    const client = await PythonClient.open(http(''), '/events', { topics: 'n.1' });
    expect(await client.call('subscribe', { topics: ['n.3'] })).toMatchObject({ id: 1, position: expect.any(String) });
    expect(await client.call('subscribe', { topics: ['n.#'] })).toMatchObject({ error: { code: 'TOPICS_OVERLAP' } });
    expect(await client.call('unsubscribe', 1)).toEqual({ id: 1 });
    await append(3);
    await client.says('event', 1);
    expect(client.numbers()).toEqual([1]);
  });

  it('[I-2][I-3] resumes by auth with since after kill -9 of the gateway, also in another process', async () => {
    const logFile = join(temporaryFolder(), 'log.db');
    const append = appender(await openTestLog(logFile));
    const port = await stablePort();
    const gateway = await GatewayProcess.start({ log: `sqlite:${logFile}` }, { port });
    const client = await PythonClient.open(gateway.http(''), '/events', { topics: 'n.#' });
    await append(50);
    await client.says('event', 50);
    await gateway.kill();
    await append(50);
    const next = await GatewayProcess.start({ log: `sqlite:${logFile}` }, { port });
    await client.says('event', 100);
    await append(50);
    await client.says('event', 150);
    expect(client.numbers()).toEqual(numbers(1, 150));
    expect(client.of('subscribed').at(-1)).toMatchObject({ recovered: true });

    client.kill();
    await append(10);
    const since = String(Reflect.get(Object(client.of('event').at(-1)), 'position'));
    const again = await PythonClient.open(next.http(''), '/events', { topics: 'n.#', since });
    await append(1);
    await again.says('event', 11);
    expect(again.numbers()).toEqual(numbers(151, 161));
  });
});
