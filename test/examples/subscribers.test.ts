import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/cleanup.js';
import { linesToType } from '../support/documents/example-readme.js';
import { PlainClient, refusal } from '../support/gateway/plain-client.js';
import { pregon, startPregon } from '../support/processes.js';

const EXAMPLE = fileURLToPath(new URL('../../examples/subscribers', import.meta.url));

/** Runs what `npm start` runs, on a free port and a new log. */
async function startExample() {
  const log = `--log=sqlite:${join(temporaryFolder(), 'log.db')}`;
  const process = startPregon(['run', '0', log], { cwd: EXAMPLE });
  const [, port] = await process.until(/listens on 127\.0\.0\.1:(\d+) /);
  await process.until(/ {2}config +pregon\.yml\n/);
  const url = `ws://127.0.0.1:${port}`;
  return {
    process,
    log,
    url,
    connect: (path: string) => PlainClient.open(url + path),
    publish: (topic: string, type: string, data: unknown) =>
      pregon(['publish', 'my_events', topic, JSON.stringify(data), `--type=${type}`, log], { cwd: EXAMPLE }),
  };
}

describe('The example subscribers', () => {
  it('[000-06][000-07] has the routes events, resources and teams, and no other', async () => {
    const { process, url, connect } = await startExample();
    expect(process.stdout).toMatch(/events +ws:\S+\/events\n +resources +ws:\S+\/rs\n +teams +ws:\S+\/tms\n/);
    await Promise.all(['/events', '/rs', '/tms'].map(connect));
    for (const path of ['/', '/resources', '/teams', '/events/1']) {
      expect((await refusal(url + path)).statusCode, path).toBe(404);
    }
  });

  it('[000-12][000-07] tells all connections of a route about a new one (BroadcastNewConnections), and no other connection', async () => {
    const { connect } = await startExample();
    const first = await connect('/tms');
    expect(await said(first, 1)).toEqual([{ came: 'teams', here: 1 }]);
    const elsewhere = await connect('/events');
    expect(await said(elsewhere, 1)).toEqual([{ came: 'events', here: 1 }]);
    const resources = await connect('/rs');
    const second = await connect('/tms');
    expect(await said(second, 1)).toEqual([{ came: 'teams', here: 2 }]);
    await second.close();
    expect(await said(first, 3)).toEqual([
      { came: 'teams', here: 1 },
      { came: 'teams', here: 2 },
      { left: 'teams', here: 1 },
    ]);
    expect([elsewhere.messages.all.length, resources.messages.all.length]).toEqual([1, 0]);
  });

  it('[000-13][000-05] passes the named events to BroadcastDomainEvents, which tells the teams in its own words', async () => {
    const { connect, publish } = await startExample();
    const [events, resources, teams] = await Promise.all(['/events', '/rs', '/tms'].map(connect));
    await publish('team.7.created', 'TeamWasCreated', { team: 7 });
    await publish('team.7.renamed', 'TeamWasRenamed', { team: 7, name: 'reds' });
    await publish('resource.3.created', 'ResourceWasCreated', { id: 3 });
    await publish('team.7.joined', 'TeamWasJoined', { team: 7, who: 'Ada' });
    const all = await events?.events.count(4);
    expect(all?.map(({ type }) => type)).toEqual([
      'TeamWasCreated',
      'TeamWasRenamed',
      'ResourceWasCreated',
      'TeamWasJoined',
    ]);
    expect((await resources?.events.count(1))?.map(({ type }) => type)).toEqual(['ResourceWasCreated']);
    expect(await said(teams, 3)).toEqual([
      { came: 'teams', here: 1 },
      { TeamWasCreated: { team: 7 } },
      { TeamWasJoined: { team: 7, who: 'Ada' } },
    ]);
    expect(teams?.events.all).toEqual([]);
  });

  it('[fault G5] does what its README says to type', async () => {
    const { url, process, log } = await startExample();
    const [build, start, connect = '', publish = ''] = linesToType(EXAMPLE);
    expect([build, start]).toEqual(['npm ci && npm run build', 'npm start']);
    const words = (line: string) =>
      line
        .replace(/^npx pregon /, '')
        .replaceAll("'", '')
        .split(' ');
    const client = startPregon(words(connect.replace('ws://localhost:1234', url)), { cwd: EXAMPLE });
    await client.until(/connected to/, { of: 'stderr' });
    const { code } = await pregon([...words(publish), log], { cwd: EXAMPLE });
    expect(code).toBe(0);
    await client.until(/^: \{"TeamWasJoined":\{"team":7,"who":"Ada"\}\}$/m);
    await client.kill('SIGTERM');
    await process.until(/connection closed/);
  });

  it('[000-09] logs connections that close, and ends on SIGTERM', async () => {
    const { process, connect } = await startExample();
    const client = await connect('/tms');
    await client.close();
    await process.until(/connection closed [^\n]*route=teams/);
    const { code, stderr } = await process.kill('SIGTERM');
    expect([code, stderr]).toEqual([0, '']);
  });
});

/** Waits for this many broadcast messages on a connection, and returns them. */
async function said(client: PlainClient | undefined, count: number): Promise<unknown[]> {
  const messages = await client?.messages.count(count);
  return (messages ?? []).map((message) => JSON.parse(String(message)));
}
