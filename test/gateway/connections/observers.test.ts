import { rmSync } from 'node:fs';
import type { ConnectionEnd, Observer, Refused } from 'pregon';
import { describe, expect, it } from 'vitest';
import { FramesClient } from '../../support/gateway/frames-client.js';
import { startGateway } from '../../support/gateway/gateway.js';
import { Inbox } from '../../support/gateway/inbox.js';
import { PlainClient, refusal } from '../../support/gateway/plain-client.js';

type Told = readonly [what: string, ...details: unknown[]];

/** An observer that records its calls. */
function keep(): { observer: Observer; told: Inbox<Told> } {
  const told = new Inbox<Told>();
  const observer: Observer = {
    opened: ({ transport }) => told.push(['opened', transport]),
    closed: ({ transport }, end: ConnectionEnd) => told.push(['closed', transport, end]),
    failed: (_, { message }) => told.push(['failed', message]),
    received: (_, name) => told.push(['received', name]),
    refused: ({ reason, subject }: Refused) => told.push(['refused', reason, subject]),
    ephemeralDropped: (route) => told.push(['ephemeralDropped', route]),
    logChanged: ({ state }) => told.push(['logChanged', state]),
  };
  return { observer, told };
}

describe('An observer of a gateway', () => {
  it('is told of each connection from beginning to end, and of the messages it sends', async () => {
    const { observer, told } = keep();
    const handlers = [{ messages: { fail: () => Promise.reject(new Error('inside')) } }];
    const { ws } = await startGateway({ observers: [observer], routes: { events: { path: '/events', handlers } } });
    const client = await FramesClient.open(ws('/events'));
    client.send({ op: 'send', id: 1, name: 'fail' });
    await told.until(() => told.all.some(([what]) => what === 'failed'), 'the failure');
    client.socket.close(4321, 'enough');
    await told.count(4);
    expect(told.all).toEqual([
      ['opened', 'pregon.v1'],
      ['received', 'fail'],
      ['failed', 'inside'],
      ['closed', 'pregon.v1', { code: 4321, reason: 'enough', openMs: expect.any(Number), bytes: expect.any(Number) }],
    ]);
  });

  it('is told of each refusal, also of repeated ones that are not logged again', async () => {
    const { observer, told } = keep();
    const { ws } = await startGateway({ observers: [observer] });
    for (let n = 0; n < 3; n++) await refusal(ws('/nowhere'));
    expect(told.all).toEqual(Array.from({ length: 3 }, () => ['refused', 'route', '/nowhere']));
  });

  it('is told of ephemeral messages that are dropped because too many are waiting', async () => {
    const { observer, told } = keep();
    const { ws, gateway } = await startGateway({ observers: [observer] });
    const clients = await Promise.all(Array.from({ length: 40 }, () => PlainClient.open(ws('/events'))));
    expect(clients.length).toBe(40);
    // More messages than may wait, in one turn of the event loop.
    for (let n = 0; n < 3_000; n++) gateway.connections('events').broadcast('x'.repeat(4_000), { local: true });
    const dropped = told.all.filter(([what]) => what === 'ephemeralDropped');
    expect(dropped.length).toBeGreaterThan(100);
    expect(dropped[0]).toEqual(['ephemeralDropped', 'events']);
  });

  it('that throws is logged once and not called again; the other observers and the gateway go on', async () => {
    const { observer, told } = keep();
    const lines: object[] = [];
    const line = (fields: object, message: string) => void lines.push({ ...fields, message });
    const logger = { debug() {}, info() {}, warn() {}, error: line };
    let calls = 0;
    const counting: Observer = {
      opened() {
        calls += 1;
        throw new TypeError('broken');
      },
    };
    const { ws, append } = await startGateway({ observers: [counting, observer], logger });
    for (let n = 0; n < 3; n++) {
      const client = await PlainClient.open(ws('/events'));
      await append(1);
      await client.events.count(1);
    }
    expect(calls).toBe(1);
    expect(told.all.filter(([what]) => what === 'opened').length).toBe(3);
    expect(lines).toEqual([
      {
        message: 'an observer failed; it is no longer notified',
        method: 'opened',
        err: expect.objectContaining({ message: 'broken' }),
      },
    ]);
  });

  it('[I-8] that is asynchronous and rejects is logged once and not called again; the process goes on', async () => {
    let calls = 0;
    const lines: string[] = [];
    const logger = {
      debug() {},
      info() {},
      warn() {},
      error: (_: object, message: string) => void lines.push(message),
    };
    const observer: Observer = {
      refused: () => {
        calls += 1;
        return Promise.reject(new TypeError('asynchronous'));
      },
    };
    const { ws } = await startGateway({ observers: [observer], logger });
    for (let n = 0; n < 3; n++) await refusal(ws(`/nowhere${n}`));
    expect(calls).toBe(1);
    expect(lines).toEqual(['an observer failed; it is no longer notified']);
  });

  it('is told when the log has been replaced by another one', async () => {
    const { observer, told } = keep();
    const { logFile, append } = await startGateway({ observers: [observer] });
    await append(3);
    for (const suffix of ['', '-wal', '-shm']) rmSync(logFile + suffix, { force: true });
    await told.until(() => told.all.some(([, state]) => state === 'replaced'), 'the other log');
  });
});
