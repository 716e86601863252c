import { setTimeout as delay } from 'node:timers/promises';
import { recordRevocation, toBlock, toRevocation } from '@pregon/protocol';
import { type Log, openLog } from 'pregon';
import { describe, expect, it } from 'vitest';
import { ENTERING, type EnteringClient } from '../../support/access/entering-clients.js';
import { ISSUER, SECRET, signToken } from '../../support/access/tokens.js';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { numberedEvent } from '../../support/gateway/gateway.js';
import { GatewayProcess } from '../../support/gateway/gateway-process.js';
import { byLength } from '../../support/long.js';
import { describeWithBroker, testNames } from '../../support/rabbitmq.js';
import { eventually } from '../../support/waiting.js';

/** The connections of each gateway, over all transports. */
const CONNECTIONS = byLength({ quick: 25, check: 100, long: 1_000 });
const RUNS = byLength({ quick: 2, check: 3, long: 100 });

/** What the revocation promises, with the margin that a busy machine needs. */
const LAST_BYTE_MS = byLength({ quick: 10_000, check: 10_000, long: 1_000 });

const TRANSPORTS = Object.entries(ENTERING);

interface Place {
  readonly log: string;
  readonly exchange: string;
}

function start({ log, exchange }: Place): Promise<GatewayProcess> {
  const routes = { events: { path: '/events', exchanges: [exchange], allow: [{ subscribe: '#' }] } };
  return GatewayProcess.start({ log, routes, auth: { issuers: [{ issuer: ISSUER, secret: SECRET }] } });
}

async function openLogOf({ log, exchange }: Place): Promise<Log> {
  const opened = await openLog(log, { exchanges: [exchange] });
  afterTest(() => opened.close());
  return opened;
}

/** Appends numbered events, one after the other, until it is stopped. */
class Publisher {
  next = 1;
  readonly #log: Log;
  readonly #exchange: string;
  #stopped = false;
  readonly #running: Promise<void>;

  constructor(log: Log, exchange: string) {
    this.#log = log;
    this.#exchange = exchange;
    this.#running = this.#run();
    afterTest(() => this.stop());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      await this.#log.append([numberedEvent(this.next++, { exchange: this.#exchange })], { points: false });
      await delay(5);
    }
  }
}

/** Enters this many clients of each transport, and waits until they get events. */
async function enterAll(gateway: GatewayProcess, token: string, ofEach: number): Promise<EnteringClient[]> {
  const clients: EnteringClient[] = [];
  for (let i = 0; i < ofEach; i++) {
    const some = TRANSPORTS.map(([, enter]) => enter(gateway, token));
    expect(await Promise.all(some.map(({ entered }) => entered))).toEqual(some.map(() => 'connected'));
    clients.push(...some);
  }
  await eventually(
    () => clients.filter(({ numbers }) => numbers.length === 0).length,
    (silent) => silent === 0,
  );
  return clients;
}

async function refusals(gateway: GatewayProcess, token: string): Promise<readonly string[]> {
  return Promise.all(TRANSPORTS.map(([, enter]) => enter(gateway, token).entered));
}

const REFUSED = TRANSPORTS.map(() => 'refused');

function suite(place: () => Place): void {
  it('[H-06] [I-11] ends the connections on all gateways within a second, and nothing after it arrives', async () => {
    const where = place();
    const log = await openLogOf(where);
    const publisher = new Publisher(await openLogOf(where), where.exchange);
    const gateways = [await start(where), await start(where)];
    const token = await signToken({ sub: 'ada' }, { issuedAgoS: 2 });
    const ofEach = Math.ceil(CONNECTIONS / TRANSPORTS.length);
    const revoked = (await Promise.all(gateways.map((gateway) => enterAll(gateway, token, ofEach)))).flat();
    const others = await Promise.all(
      gateways.map(async (gateway) => enterAll(gateway, await signToken({ sub: 'bob' }, { issuedAgoS: 2 }), 1)),
    );
    const askedAt = performance.now();
    const nowMs = Date.now();
    await recordRevocation(log, toRevocation({ iss: ISSUER, sub: 'ada' }, nowMs), { id: 'ada', nowMs });
    const [appendedAt, firstAfter] = [performance.now(), publisher.next];
    await Promise.all(revoked.map(({ ended }) => ended));
    const endedAt = performance.now();
    const after = publisher.next + 20;
    for (const { numbers } of others.flat())
      await eventually(
        () => numbers.at(-1) ?? 0,
        (last) => last > after,
      );
    const late = revoked.filter(({ numbers }) => (numbers.at(-1) ?? 0) >= firstAfter);
    expect(late).toEqual([]);
    const lastByteMs = Math.max(...revoked.map(({ lastByteAt }) => lastByteAt)) - appendedAt;
    expect(lastByteMs).toBeLessThan(LAST_BYTE_MS);
    console.log(
      `revocation of ${revoked.length} connections: ${Math.round(appendedAt - askedAt)} ms to append, last event ${Math.round(lastByteMs)} ms and last close ${Math.round(endedAt - appendedAt)} ms after it`,
    );
    for (const gateway of gateways) expect(await refusals(gateway, token)).toEqual(REFUSED);
  }, 600_000);

  it(`[H-06] [I-11] survives the kill of a gateway, in ${RUNS} runs: the revoked client comes in nowhere, the others do`, async () => {
    const where = place();
    const log = await openLogOf(where);
    const publisher = new Publisher(await openLogOf(where), where.exchange);
    const stays = await start(where);
    for (let run = 0; run < RUNS; run++) {
      const killed = await start(where);
      const token = await signToken({ sub: `ada-${run}` }, { issuedAgoS: 2 });
      const revoked = [...(await enterAll(killed, token, 1)), ...(await enterAll(stays, token, 1))];
      const nowMs = Date.now();
      const target = { iss: ISSUER, sub: `ada-${run}` };
      const revocation =
        run % 2 === 0 ? toRevocation(target, nowMs) : toBlock({ ...target, until: nowMs + 600_000 }, nowMs);
      const recorded = recordRevocation(log, revocation, { id: `run-${run}`, nowMs });
      const kill = delay(Math.random() * 20).then(() => killed.kill());
      await recorded;
      const firstAfter = publisher.next;
      await kill;
      await Promise.all(revoked.map(({ ended }) => ended));
      const restarted = await start(where);
      for (const gateway of [stays, restarted]) {
        expect(await refusals(gateway, token)).toEqual(REFUSED);
        // A new token of the same subject counts, unless the subject is blocked.
        const newer = await signToken({ sub: `ada-${run}` }, { issuedAgoS: -2 });
        const expected = run % 2 === 0 ? 'connected' : 'refused';
        expect(await ENTERING['pregon.v1']?.(gateway, newer).entered).toBe(expected);
      }
      expect(revoked.filter(({ numbers }) => (numbers.at(-1) ?? 0) >= firstAfter)).toEqual([]);
      await restarted.kill();
    }
  }, 3_600_000);
}

describe('A revocation on a SQLite log', () => {
  suite(() => ({ log: `sqlite:${temporaryFolder()}/log.db`, exchange: 'events' }));
});

describeWithBroker('A revocation on a log in RabbitMQ', () => {
  suite(() => {
    const { url, exchange } = testNames();
    return { log: url, exchange };
  });
});
