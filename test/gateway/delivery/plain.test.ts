import type { Connection } from 'pregon';
import { positionsOf } from 'pregon';
import { describe, expect, it } from 'vitest';
import { untilAtHead } from '../../support/gateway/frames-client.js';
import { numbers, startGateway } from '../../support/gateway/gateway.js';
import { Inbox } from '../../support/gateway/inbox.js';
import { PlainClient } from '../../support/gateway/plain-client.js';

describe('A plain WebSocket', () => {
  it('[000-05] without since gets the events appended from then on, and nothing else', async () => {
    const gateway = await startGateway();
    const { ws, append } = gateway;
    await append(3);
    await untilAtHead(gateway);
    const client = await PlainClient.open(ws('/events'));
    await append(2);
    expect(await client.numbers(2)).toEqual([4, 5]);
    expect(client.messages.all).toEqual([]);
  });

  it('[I-1][I-2] with since=first gets all events of the log and then live events, without a gap', async () => {
    const { ws, append } = await startGateway({ historyBytes: 20_000 });
    await append(5_000);
    const client = new PlainClient(ws('/events?since=first'));
    const writing = append(2_000);
    expect(await client.numbers(7_000)).toEqual(numbers(1, 7_000));
    await writing;
    await append(1);
    expect(await client.numbers(7_001)).toEqual(numbers(1, 7_001));
  });

  it('[I-2][I-3] with the position of any event gets exactly the events after it', async () => {
    const { ws, append } = await startGateway({ historyBytes: 20_000 });
    await append(1_000);
    const all = await PlainClient.open(ws('/events?since=first'));
    await all.events.count(1_000);
    for (const n of [1, 2, 500, 940, 999, 1_000]) {
      const position = all.events.all[n - 1]?.position;
      const client = await PlainClient.open(ws(`/events?since=${position}`));
      await append(1, { from: 1_001 });
      expect(await client.numbers(1_001 - n)).toEqual(numbers(n + 1, 1_001));
    }
  });

  it('[I-2] with a position beyond what this gateway has read is served once the gateway has read so far', async () => {
    const { ws, log, append } = await startGateway({ flushIntervalMs: 300 });
    await append(1);
    await append(1);
    const { offset } = await log.head();
    const page = await log.read({ after: offset - 1 });
    const entry = page.entries[0];
    if (!entry) throw new Error('the log has no entry');
    const client = await PlainClient.open(ws(`/events?since=${(await positionsOf(log)).encode(entry)}`));
    await append(2);
    expect(await client.numbers(2)).toEqual([3, 4]);
  });

  it('with topics gets only events that match one of the patterns: encoded, separated by commas, or repeated', async () => {
    const { ws, append } = await startGateway();
    const topic = (n: number) => ['user.1.created', 'user', 'auction.42.bid', 'auction.43.bid', 'order.1'][n - 1] ?? '';
    const all = ['user.%23', 'user.%23,auction.42.*', 'user.%23&topics=auction.42.*', '*.1', '%23', 'nothing.%23'];
    const clients = await Promise.all(all.map((topics) => PlainClient.open(ws(`/events?topics=${topics}`))));
    await append(5, { topic });
    const expected = [[1, 2], [1, 2, 3], [1, 2, 3], [5], [1, 2, 3, 4, 5], []];
    for (const [i, client] of clients.entries()) {
      expect(await client.numbers(expected[i]?.length ?? 0), all[i]).toEqual(expected[i]);
    }
    const replayed = await Promise.all(
      all.map((topics) => PlainClient.open(ws(`/events?since=first&topics=${topics}`))),
    );
    for (const [i, client] of replayed.entries()) {
      expect(await client.numbers(expected[i]?.length ?? 0), all[i]).toEqual(expected[i]);
    }
  });

  it('passes text and binary messages unchanged to the handlers, and gets their messages between the events', async () => {
    const received = new Inbox<unknown>();
    const message = (connection: Connection, data: unknown) => {
      received.push(data);
      connection.send(data);
    };
    const { ws, append } = await startGateway({ routes: { events: { path: '/events', handlers: [{ message }] } } });
    const client = await PlainClient.open(ws('/events'));
    const sent = ['text', '', '{"op":"subscribe"}', 'naïve 🎈', 'x'.repeat(70_000)];
    const bytes = [Buffer.alloc(0), Buffer.from([0, 255, 128]), Buffer.alloc(70_000, 9)];
    for (const data of [...sent, ...bytes]) client.socket.send(data);
    await append(1);
    expect(await client.numbers(1)).toEqual([1]);
    expect(await received.count(8)).toEqual([...sent, ...bytes]);
    expect(await client.messages.count(8)).toEqual([...sent, ...bytes]);
  });

  it('may send control frames of pregon.v1, which are ordinary text to it', async () => {
    const { ws, append } = await startGateway();
    const client = await PlainClient.open(ws('/events'));
    client.socket.send('{"op":"subscribe","id":1}');
    client.socket.send('{"op":"ping"}');
    await append(1);
    expect(await client.numbers(1)).toEqual([1]);
    expect(client.messages.all).toEqual([]);
  });

  it('delivers events of any size and content unchanged: 1 MB, 125, 126, 65,535 and 65,536 bytes, and JSON’s hard cases', async () => {
    const { ws, gateway } = await startGateway();
    const client = await PlainClient.open(ws('/events'));
    const hard = ['\u0000\u0007\\"\u2028\u2029', '\ud800', '}{', '🎈'.repeat(50), '', null, 1e300, [], {}];
    const sizes = [1, 125, 126, 127, 65_535, 65_536, 65_537, 1_000_000].map((size) => 'x'.repeat(size));
    const published = [];
    for (const data of [...hard, ...sizes]) {
      published.push(await gateway.publish({ exchange: 'e', topic: 't', type: 'T', data }));
    }
    expect(await client.events.count(published.length)).toEqual(JSON.parse(JSON.stringify(published)));
  });
});

describe('A plain WebSocket with an invalid request', () => {
  it('[I-4] is closed with 4501 if since is not a position', async () => {
    const { ws } = await startGateway();
    const bad = [
      'garbage',
      '',
      '7',
      '0.0',
      'FIRST',
      '1.00000000000000',
      '2s.0k3j9x0a1b27q%20',
      '../../etc',
      'a'.repeat(5_000),
    ];
    for (const since of bad) {
      const closed = await new PlainClient(ws(`/events?since=${since}`)).whenClosed();
      expect(closed, since).toMatchObject({ code: 4501, reason: expect.stringContaining('not a position') });
    }
  });

  it('[I-4] is closed with 4502, without any event, if since is well-formed but not of this log', async () => {
    const { ws, append, log } = await startGateway();
    await append(5);
    const { offset, fingerprint } = await log.head();
    const forged = [
      { offset, fingerprint: fingerprint + 1 },
      { offset: offset - 1, fingerprint },
      { offset: 0, fingerprint: 42 },
      { offset: offset + 1_000, fingerprint },
      { offset: Number.MAX_SAFE_INTEGER, fingerprint: 0 },
    ];
    for (const point of forged) {
      const client = new PlainClient(ws(`/events?since=${(await positionsOf(log)).encode(point)}`));
      expect(await client.whenClosed()).toMatchObject({ code: 4502, reason: expect.stringMatching(/^replaced/) });
      expect(client.events.all).toEqual([]);
    }
  });

  it('is closed with 4503 if a topic pattern is invalid', async () => {
    const { ws } = await startGateway();
    for (const topics of ['', 'a..b', 'a,,b', 'a b', 'user%23', `${'a'.repeat(256)}`, 'ok&topics=.']) {
      expect((await new PlainClient(ws(`/events?topics=${topics}`)).whenClosed()).code, topics).toBe(4503);
    }
  });
});
