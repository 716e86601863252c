import { setTimeout as delay } from 'node:timers/promises';
import { openLog } from 'pregon';
import { expect, it } from 'vitest';
import { afterTest } from '../../support/cleanup.js';
import { numberedEvent, numberOf } from '../../support/gateway/gateway.js';
import { GatewayProcess } from '../../support/gateway/gateway-process.js';
import { SocketIoClient, type Transports, toEvent } from '../../support/gateway/socketio-client.js';
import { secondsOf } from '../../support/long.js';
import { describeWithBroker, testNames } from '../../support/rabbitmq.js';
import { eventually } from '../../support/waiting.js';

const SECONDS = secondsOf('PREGON_KILL_SECONDS', { quick: 6, check: 12, long: 120 });
const EVENTS_PER_SECOND = 200;

/** The groups of clients: how many, with which topics, and on which transports. */
const CLIENTS: readonly { count: number; every: number; transports: Transports }[] = [
  { count: 90, every: 1, transports: ['websocket'] },
  { count: 20, every: 1, transports: ['polling'] },
  { count: 40, every: 10, transports: ['polling', 'websocket'] },
  { count: 10, every: 10, transports: ['polling'] },
  // Idle clients: they get no event before the very end.
  { count: 30, every: Number.POSITIVE_INFINITY, transports: ['websocket'] },
  { count: 10, every: Number.POSITIVE_INFINITY, transports: ['polling'] },
];

/** `n.1.7`, `n.10.20`: every tenth event has a separate topic; `end` is the last one. */
function topicOf(n: number): string {
  return n % 10 === 0 ? `n.10.${n}` : `n.1.${n}`;
}

function topicsFor(every: number): string[] {
  if (every === 1) return ['n.#', 'end'];
  return every === 10 ? ['n.10.#', 'end'] : ['nothing', 'end'];
}

/** A stock client that keeps only the numbers, and reconnects to either gateway. */
class Follower {
  readonly every: number;
  readonly numbers: number[] = [];
  readonly client: SocketIoClient;
  ended = false;
  resets = 0;

  constructor(urls: readonly string[], every: number, transports: Transports) {
    this.every = every;
    const any = () => urls[Math.floor(Math.random() * urls.length)] ?? '';
    this.client = new SocketIoClient(any(), {
      transports: [...transports],
      auth: { names: 'event', since: 'first', topics: topicsFor(every) },
      reconnectionDelayMax: 1_000,
    });
    const { socket, received } = this.client;
    socket.io.on('reconnect_attempt', () => Reflect.set(socket.io, 'uri', new URL(any()).origin));
    socket.on('event', (event: unknown) => {
      received.all.length = 0;
      const { topic } = toEvent(event);
      if (topic === 'end') this.ended = true;
      else this.numbers.push(numberOf(toEvent(event)));
    });
    socket.on('reset', () => {
      this.resets += 1;
    });
  }

  /** The numbers that the client must have received of `count` events. */
  expected(count: number): number[] {
    return Array.from({ length: Math.floor(count / this.every) }, (_, i) => (i + 1) * this.every);
  }
}

describeWithBroker('Two hundred stock clients of Socket.IO on two gateways and RabbitMQ', () => {
  it(
    `[G-1][I-1][I-2][I-3] get every event once, in order, idle ones included, over ${SECONDS} s of kill -9`,
    async () => {
      const { url, exchange } = testNames();
      const log = await openLog(url, { exchanges: [exchange] });
      afterTest(() => log.close());
      const options = { log: url, exchanges: [exchange] };
      const gateways = [await GatewayProcess.start(options), await GatewayProcess.start(options)];
      const urls = gateways.map((gateway) => gateway.http('/events'));
      const followers = CLIENTS.flatMap(({ count, every, transports }) =>
        Array.from({ length: count }, () => new Follower(urls, every, transports)),
      );
      for (const { client } of followers) await client.connected();

      const until = performance.now() + SECONDS * 1_000;
      let published = 0;
      const publish = async () => {
        for (let round = 0; performance.now() < until; round++) {
          const batch = Array.from({ length: EVENTS_PER_SECOND / 10 }, () => {
            published += 1;
            return numberedEvent(published, { exchange, topic: topicOf });
          });
          await log.append(batch);
          await delay(Math.max(0, until - SECONDS * 1_000 + (round + 1) * 100 - performance.now()));
        }
      };
      let kills = 0;
      const kill = async () => {
        while (performance.now() < until - 3_000) {
          await delay(1_000 + Math.random() * 2_000);
          const which = Math.floor(Math.random() * gateways.length);
          const gateway = gateways[which];
          if (!gateway) continue;
          await gateway.kill();
          kills += 1;
          await delay(Math.random() * 1_000);
          gateways[which] = await GatewayProcess.start(options, { port: gateway.port });
        }
      };
      await Promise.all([publish(), kill()]);
      await log.append([{ ...numberedEvent(0, { exchange }), topic: 'end', id: 'end' }]);

      await eventually(
        () => followers.filter(({ ended }) => !ended).length,
        (left) => left === 0,
        60_000,
      );
      expect(kills).toBeGreaterThanOrEqual(SECONDS / 12);
      expect(published).toBeGreaterThan(SECONDS * EVENTS_PER_SECOND * 0.1);
      for (const follower of followers) expect(follower.numbers).toEqual(follower.expected(published));
      expect(followers.reduce((sum, { resets }) => sum + resets, 0)).toBe(0);
      const recoveries = followers.flatMap(({ client }) => client.recovered.slice(1));
      expect(recoveries.length).toBeGreaterThan(followers.length / 10);
      expect(recoveries.filter((recovered) => !recovered)).toEqual([]);
    },
    SECONDS * 1_000 + 150_000,
  );
});
