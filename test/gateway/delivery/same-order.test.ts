import { join } from 'node:path';
import type { PregonEvent } from '@pregon/protocol';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/cleanup.js';
import { FramesClient } from '../../support/gateway/frames-client.js';
import { numberedEvent, openTestLog, startGateway } from '../../support/gateway/gateway.js';
import { GatewayProcess } from '../../support/gateway/gateway-process.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { StreamClient } from '../../support/gateway/stream-client.js';

interface Address {
  ws(path: string): string;
  http(path: string): string;
}

/** One client of each transport, and the events that each has received so far. */
interface Followers {
  readonly all: readonly (() => readonly PregonEvent[])[];
  reach(count: number): Promise<void>;
}

async function follow(address: Address, query = ''): Promise<Followers> {
  const plain = await PlainClient.open(address.ws(`/events${query}`));
  const stream = await StreamClient.open(address.http(`/events${query}`));
  const frames = await FramesClient.open(address.ws('/events'));
  const since = new URLSearchParams(query).get('since');
  await frames.subscribe({ id: 1, ...(since === null ? {} : { since }) });
  return {
    all: [() => plain.events.all, () => stream.events.all, () => frames.events(1)],
    async reach(count) {
      await Promise.all([plain.events.count(count), stream.events.count(count), frames.numbers(1, count)]);
    },
  };
}

describe('Two gateways in this process and one in another, on one log with three producers,', () => {
  it('[I-1][G-3] deliver the same events in the same order, on every transport, live and replayed', async () => {
    const logFile = join(temporaryFolder(), 'log.db');
    const gateways: Address[] = [
      await startGateway({ logFile }),
      await startGateway({ logFile, flushIntervalMs: 20, historyBytes: 10_000 }),
      await GatewayProcess.start({ log: `sqlite:${logFile}` }),
    ];
    const live = await Promise.all(gateways.map((gateway) => follow(gateway)));
    const perProducer = 400;
    const producers = ['a', 'b', 'c'];
    await Promise.all(
      producers.map(async (exchange) => {
        const log = await openTestLog(logFile);
        for (let n = 1; n <= perProducer; n++) await log.append([numberedEvent(n, { exchange })]);
      }),
    );
    const count = producers.length * perProducer;
    const replayed = await Promise.all(gateways.map((gateway) => follow(gateway, '?since=first')));
    const followers = [...live, ...replayed];
    await Promise.all(followers.map((follower) => follower.reach(count)));
    const [order = [], ...others] = followers.flatMap(({ all }) => all.map((events) => events()));
    expect(order).toHaveLength(count);
    for (const events of others) expect(events).toEqual(order);
    for (const exchange of producers) {
      const own = order.filter((event) => event.exchange === exchange).map(({ data }) => Object(data).n);
      expect(own).toEqual(Array.from({ length: perProducer }, (_, i) => i + 1));
    }
  });

  it('[I-2][I-3] resume each other’s clients: a position of one is a position of all', async () => {
    const logFile = join(temporaryFolder(), 'log.db');
    const first = await startGateway({ logFile });
    const second = await startGateway({ logFile, historyBytes: 0 });
    const third = await GatewayProcess.start({ log: `sqlite:${logFile}` });
    await first.append(1_000);
    const before = await PlainClient.open(first.ws('/events?since=first'));
    await before.events.count(1_000);
    for (const n of [1, 500, 1_000]) {
      const position = before.events.all[n - 1]?.position;
      const checks = [second, third].map(async (gateway) => {
        const resumed = await follow(gateway, `?since=${position}`);
        await resumed.reach(1_000 - n);
        for (const events of resumed.all) expect(events()).toEqual(before.events.all.slice(n));
      });
      await Promise.all(checks);
    }
  });
});
