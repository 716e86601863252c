import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connectAs } from '../../support/access/addressed-clients.js';
import { ISSUER, SECRET, signToken } from '../../support/access/tokens.js';
import { temporaryFolder } from '../../support/cleanup.js';
import { Workers } from '../../support/gateway/workers.js';
import { eventually } from '../../support/waiting.js';

const ADDRESS = '203.0.113.7';
const OTHER = '203.0.113.8';
const WEBSOCKET = 'plain WebSocket';

/** Two workers behind a trusted proxy, which is the test itself. */
async function start(limits: Readonly<Record<string, number>>) {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'secret.txt'), SECRET);
  const configuration = {
    exchanges: ['events'],
    auth: { issuers: [{ issuer: ISSUER, secretFile: 'secret.txt' }] },
    websocket: {
      ...limits,
      routes: {
        events: { path: '/events', allow: [{ subscribe: 'user.{sub}.#' }] },
        news: { path: '/news', access: 'public' },
      },
    },
  };
  writeFileSync(join(cwd, 'pregon.yml'), JSON.stringify(configuration));
  const workers = await Workers.start({ cwd, flags: ['--trusted-proxy=127.0.0.1'], logsOpened: true });
  const gateway = {
    ws: (path: string) => workers.url('ws', path),
    http: (path: string) => workers.url('http', path),
  };
  const connect = (address: string, options: { token?: string; path?: string } = { path: '/news' }) =>
    connectAs(WEBSOCKET, gateway, { address, ...options });
  return { workers, gateway, connect };
}

type Started = Awaited<ReturnType<typeof start>>;

/** Connects until both workers refuse: connections are dealt to them in turn. Clients that get in leave at once. */
function untilRefused(connect: () => ReturnType<Started['connect']>): Promise<number[]> {
  return eventually(
    async () => {
      const outcomes: number[] = [];
      for (let n = 0; n < 4; n++) {
        const { outcome, close } = await connect();
        if (outcome !== 'open') outcomes.push(outcome);
        else close();
      }
      return outcomes;
    },
    ({ length }) => length === 4,
  );
}

/** The log line in which a worker says that it refuses clients. */
function refusalOf(worker: number, reason: string): RegExp {
  return new RegExp(`refused[^\\n]* worker=${worker} [^\\n]*${reason}`);
}

async function untilOpen(connect: () => ReturnType<Started['connect']>): Promise<void> {
  await eventually(
    async () => {
      const { outcome, close } = await connect();
      close();
      return outcome;
    },
    (outcome) => outcome === 'open',
  );
}

describe('[H-08] Workers on one port', () => {
  it('count the connections of an address together, until they leave', async () => {
    const { workers, connect } = await start({ maxConnectionsPerAddress: 10 });
    // One after the other: a worker that is busy with one connection would be dealt fewer of those that come meanwhile.
    const open: Awaited<ReturnType<typeof connect>>[] = [];
    for (let n = 0; n < 10; n++) open.push(await connect(ADDRESS));
    expect(open.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 10 }, () => 'open'));
    // Neither worker has as many connections as the limit.
    const opened = await workers.untilOpened(10);
    for (const worker of [0, 1]) expect(opened[worker]).toBeGreaterThan(2);
    expect(await untilRefused(() => connect(ADDRESS))).toEqual([429, 429, 429, 429]);
    for (const worker of [1, 2]) {
      await workers.primary.until(refusalOf(worker, 'address connections'));
    }
    expect(await connect(OTHER)).toMatchObject({ outcome: 'open' });
    for (const { close } of open) close();
    await untilOpen(() => connect(ADDRESS));
  });

  it('count the connections of an identity together, and forget those of a worker that is killed', async () => {
    const { workers, connect } = await start({ maxConnectionsPerIdentity: 6 });
    const token = await signToken();
    const enter = () => connect(ADDRESS, { token });
    for (let n = 0; n < 6; n++) expect(await enter()).toMatchObject({ outcome: 'open' });
    await untilRefused(enter);
    expect(await connect(ADDRESS, { token: await signToken({ sub: 'grace' }) })).toMatchObject({ outcome: 'open' });
    const [victim = 0] = workers.pids();
    process.kill(victim, 'SIGKILL');
    await workers.untilPids(2, victim);
    await untilOpen(enter);
  });

  it('count refused tokens of an address together', async () => {
    const { workers, connect } = await start({ maxFailedAuthenticationsPerMinute: 20 });
    const good = await signToken();
    // 15 at each worker, fewer than each alone allows.
    for (let n = 0; n < 30; n++) {
      const { outcome } = await connect(ADDRESS, { token: `${good.slice(0, -6)}AAA${100 + n}` });
      expect([401, 429]).toContain(outcome);
    }
    let users = 0;
    const unknown = async () => connect(ADDRESS, { token: await signToken({ sub: `user-${users++}` }) });
    expect(await untilRefused(unknown)).toEqual([429, 429, 429, 429]);
    for (const worker of [1, 2]) await workers.primary.until(refusalOf(worker, 'address failures'));
    expect(await connect(OTHER, { token: good })).toMatchObject({ outcome: 'open' });
  });

  it('count a session of long polling once, although its polls come to both of them', async () => {
    const { gateway, connect } = await start({ maxConnectionsPerAddress: 3 });
    const poll = () => connectAs('Socket.IO by long polling', gateway, { address: ADDRESS, path: '/news' });
    expect([(await poll()).outcome, (await poll()).outcome]).toEqual(['open', 'open']);
    const third = await connect(ADDRESS);
    expect(third.outcome).toBe('open');
    await untilRefused(() => connect(ADDRESS));
    third.close();
    await untilOpen(() => connect(ADDRESS));
  });
});
