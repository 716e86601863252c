import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLog } from 'pregon';
import { describe, expect, it } from 'vitest';
import { ChurnedGateway } from '../../support/churn/churned-gateway.js';
import { VISITS, type Visit, visit } from '../../support/churn/visit.js';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { numberedEvent } from '../../support/gateway/gateway.js';
import { secondsOf } from '../../support/long.js';
import { eventually } from '../../support/waiting.js';

const SECONDS = secondsOf('PREGON_CHURN_SECONDS', { quick: 8, check: 12, long: 1_800 });

/** The number of concurrent visits. */
const AT_ONCE = 100;
const WAVE = 1_000;

/** How much the heap may grow per visit: less than the smallest object that each visit could leave behind. */
const GROWN_BYTES = 16;

/**
 * What the engine itself adds over time, with any clients: compiled code and its feedback on types. Over half an hour
 * it is two bytes per visit; in a short run of seconds it hides growth below some hundred bytes per visit.
 */
const ENGINE_BYTES = 1_048_576;

/** Socket.IO clients that break off are remembered for two minutes, with their rooms and data. */
const REMEMBERED_BYTES = 600;
const REMEMBERED = VISITS.find(({ who, end }) => who === 'Socket.IO' && end === 'breaks off')?.share ?? 0;

/** The most timers that a gateway has by itself; each Engine.IO client that is still connected has one more. */
const OWN_TIMERS = 8;

/** All timeouts are short, so that abandoned connections end soon, but long enough for a slow client. */
const CONFIGURATION = `
exchanges: [events]
socketIo: { pingInterval: 300, pingTimeout: 700, connectTimeout: 3000 }
websocket:
  handshakeTimeoutMs: 3000
  historyBytes: 65536
  routes:
    events: { path: /events }
`;

describe('A gateway with tens of thousands of short visits', () => {
  it(
    `[I-7] holds no more memory at the end than halfway through ${SECONDS} s, and nothing of a client that is gone`,
    async () => {
      const cwd = temporaryFolder();
      writeFileSync(join(cwd, 'pregon.yml'), CONFIGURATION);
      const gateway = await ChurnedGateway.start(cwd, []);
      const log = await openLog(`sqlite:${join(cwd, 'data/pregon.db')}`);
      afterTest(() => log.close());
      const begun = performance.now();
      let visits = 0;
      /** Runs waves of visits for a time, and takes stock when all of them are gone. */
      const churn = async (untilMs: number) => {
        do {
          const events = Array.from({ length: 20 }, (_, i) => numberedEvent(visits + i, { exchange: 'events' }));
          await Promise.all([wave(gateway.port), log.append(events)]);
          visits += WAVE;
        } while (performance.now() - begun < untilMs);
        await eventually(
          () => gateway.open(),
          (open) => !open.includes('TCPSocketWrap') && open.filter((kind) => kind === 'Timeout').length <= OWN_TIMERS,
        );
        return { visits, ...(await gateway.look()) };
      };

      const first = await churn(0);
      const midst = await churn(SECONDS * 500);
      const end = await churn(SECONDS * 1_000);

      for (const { alive } of [first, midst, end]) {
        expect(alive).toMatchObject({ connections: 0, subscriptions: 0, webSockets: 0 });
        expect(alive).toMatchObject({ engineClients: 0, socketIoClients: 0 });
      }
      expect(end.alive).toEqual(midst.alive);
      const since = end.visits - midst.visits;
      expect(end.heapBytes - midst.heapBytes).toBeLessThan(
        ENGINE_BYTES + since * (GROWN_BYTES + (REMEMBERED / 100) * REMEMBERED_BYTES),
      );
      expect(end.rssBytes).toBeLessThan(midst.rssBytes * 1.2);
    },
    SECONDS * 1_000 + 600_000,
  );
});

/** All kinds of visits, mixed and partly concurrent. */
async function wave(port: number): Promise<void> {
  const all = VISITS.flatMap((kind) => Array.from({ length: (kind.share * WAVE) / 100 }, () => kind));
  const waiting: Visit[] = [];
  // Every eleventh visit in turn: evenly mixed, and the same each time.
  for (let at = 0; at < all.length; at++) {
    const next = all[(at * 371) % all.length];
    if (next) waiting.push(next);
  }
  const come = async () => {
    for (let next = waiting.pop(); next; next = waiting.pop()) await visit(port, next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, come));
}
