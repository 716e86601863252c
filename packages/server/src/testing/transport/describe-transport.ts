import type { PregonEvent } from '@pregon/protocol';
import type { Decision } from '../../core/ports/admission.js';
import { expect } from '../assertions/expect.js';
import { Disposing } from '../disposing.js';
import type { TestRunner } from '../runner.js';
import { TestGateway, type TestGatewayOptions } from './test-gateway.js';
import type { TransportKind } from './transport-kind.js';

/** The most bytes that may wait for a client that does not read: far less than the unread events. */
const MOST_WAITING_BYTES = 2_097_152;

type Start = (options?: TestGatewayOptions) => Promise<TestGateway>;

/**
 * The guarantees of {@link Transport}, as tests for a kind of transport. A gateway on a log in memory uses the
 * transport, and clients from the kind connect to it.
 *
 * @param runner `describe` and `it` of a test runner, such as Vitest or `node:test`
 * @param kind creates the transport to test, and its clients
 * @example
 * describeTransport({ describe, it }, {
 *   name: 'websocket',
 *   transport: () => websocket(),
 *   connect: (request, observer) => connectClient(request, observer), // a client of your transport
 * });
 */
export function describeTransport(runner: TestRunner, kind: TransportKind): void {
  const suite = new Disposing<TestGateway>(runner);
  const start: Start = async (options) => suite.opened(await TestGateway.start(kind, options));
  runner.describe(`transport: ${kind.name}`, () => {
    describeDelivery(suite, start);
    describeSlowClients(suite, start);
    describeEntering(suite, start, kind.name);
    describeWaiting(suite, start);
  });
}

function describeDelivery({ it }: TestRunner, start: Start): void {
  it('[I-1] [I-2] [I-3] delivers history and live events in order, each once, and the same to each client', async () => {
    const gateway = await start();
    await gateway.publish(1, 50);
    const clients = [await gateway.connect('/events?since=first'), await gateway.connect('/events?since=first')];
    await gateway.publish(51, 60);
    for (const { events } of clients) {
      await events.count(60);
      expect(events.all.map(numberOf)).toEqual(numbers(1, 60));
    }
    expect(clients[0]?.events.all).toEqual(clients[1]?.events.all);
  });

  it('[I-2] resumes after the position of any event', async () => {
    const gateway = await start();
    await gateway.publish(1, 30);
    const { events, close } = await gateway.connect('/events?since=first');
    await events.count(30);
    close();
    for (const n of [1, 17, 30]) {
      const position = events.all[n - 1]?.position;
      const next = await gateway.connect(`/events?since=${position}`);
      await gateway.publish(31, 31);
      await next.events.until(() => numberOf(next.events.all.at(-1)) === 31, 'the last event');
      expect(next.events.all.map(numberOf).slice(0, 30 - n)).toEqual(numbers(n + 1, 30));
    }
  });

  it('delivers only events of the requested topics', async () => {
    const gateway = await start();
    const even = await gateway.connect('/events?since=first&topics=number.even');
    await gateway.publish(1, 10);
    await even.events.count(5);
    expect(even.events.all.map(numberOf)).toEqual([2, 4, 6, 8, 10]);
  });

  it('delivers events of any content unchanged', async () => {
    const gateway = await start();
    const hostile = ['a\nb\r\nc\0d\u2028e', '\n\n', '\ud800 and \udfff', '𝄞 漢字 é', '', 'x'.repeat(900_000), '"}{\\'];
    for (const text of hostile) await gateway.publish(1, 1, { text });
    const { events } = await gateway.connect('/events?since=first');
    await events.count(hostile.length);
    expect(events.all.map(({ data }) => Reflect.get(Object(data), 'text'))).toEqual(hostile);
  });
}

function describeSlowClients({ it }: TestRunner, start: Start): void {
  it('[I-7] buffers nothing for a client that does not read, and delivers all events when it reads again', async () => {
    const gateway = await start({ maxBufferedBytes: 65_536 });
    const slow = await gateway.connect('/events?since=first');
    slow.setReading(false);
    await gateway.publish(1, 400, { padding: 'x'.repeat(50_000) });
    const isFull = () => gateway.links.map(({ full }) => full);
    await expect.poll(isFull).toEqual(gateway.links.map(() => true));
    for (const { bufferedBytes } of gateway.links) expect(bufferedBytes).toBeLessThan(MOST_WAITING_BYTES);
    slow.setReading(true);
    await slow.events.count(400);
    expect(slow.events.all.map(numberOf)).toEqual(numbers(1, 400));
  });

  it('[I-8] delivers to other clients while one client does not read', async () => {
    const gateway = await start({ maxBufferedBytes: 65_536 });
    const slow = await gateway.connect('/events?since=first');
    const fast = await gateway.connect('/events?since=first');
    slow.setReading(false);
    await gateway.publish(1, 200, { padding: 'x'.repeat(50_000) });
    await fast.events.count(200);
    expect(fast.events.all.map(numberOf)).toEqual(numbers(1, 200));
  });
}

function describeEntering({ it }: TestRunner, start: Start, name: string): void {
  it('[I-9] refuses a client by the rules of the gateway, with a status', async () => {
    const gateway = await start();
    await gateway.publish(1, 1);
    expect(await gateway.refusal('/elsewhere')).toBe(404);
    expect(await gateway.refusal('/events', { Origin: 'https://evil.example' })).toBe(403);
    // A web page cannot read the status of a WebSocket handshake, so it may get a close code instead.
    for (const query of ['since=nonsense', 'since=first&topics=a..%23b']) {
      expect([400, 'closed'], query).toContainEqual(await gateway.refusal(`/events?${query}`));
    }
    await expect.poll(() => gateway.gateway.connections('events').count).toEqual(0);
  });

  it('lists a client as a connection from its admission until it is gone', async () => {
    const { gateway, connect } = bound(await start());
    const stays = await connect('/events');
    const goes = await connect('/events');
    const transports = () => [...gateway.connections('events')].map(({ transport }) => transport);
    await expect.poll(transports).toEqual([name, name]);
    goes.close();
    await expect.poll(transports).toEqual([name]);
    expect(stays.ended.all).toEqual([]);
  });

  it('ends its clients when the gateway closes', async () => {
    const { gateway, connect } = bound(await start());
    const client = await connect('/events');
    await gateway.close({ spreadMs: 0 });
    await client.ended.count(1);
    expect(gateway.connections('events').count).toBe(0);
  });
}

function describeWaiting({ it }: TestRunner, start: Start): void {
  it('[I-9] an admission that takes time is waited for, and nothing is delivered before it has decided', async () => {
    const identity = { iss: 'test', sub: 'ada' };
    const decide: ((decision: Decision) => void)[] = [];
    const admit = () => new Promise<Decision>((resolve) => decide.push(resolve));
    const { gateway, connect, publish, refusal } = bound(await start({ admissions: [{ name: 'slow', admit }] }));
    await publish(1, 1);
    const waiting = connect('/events?since=first');
    await expect.poll(() => decide.length).toEqual(1);
    expect(gateway.connections('events').count).toBe(0);
    decide[0]?.({ identity });
    const { events } = await waiting;
    await events.count(1);
    const [connection] = gateway.connections('events');
    expect(connection?.identity ?? {}).toMatchObject(identity);
    const refused = refusal('/events?since=first');
    await expect.poll(() => decide.length).toEqual(2);
    decide[1]?.({ status: 403, message: 'not today' });
    expect(await refused).toBe(403);
    expect(gateway.connections('events').count).toBe(1);
  });
}

function bound(started: TestGateway): Pick<TestGateway, 'gateway' | 'connect' | 'publish' | 'refusal'> {
  return {
    gateway: started.gateway,
    connect: (target) => started.connect(target),
    publish: (first, last) => started.publish(first, last),
    refusal: (target) => started.refusal(target),
  };
}

function numberOf(event: PregonEvent | undefined): unknown {
  return Reflect.get(Object(event?.data), 'n');
}

function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
