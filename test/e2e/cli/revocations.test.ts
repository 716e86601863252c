import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ENTERING, type EnteringClient } from '../../support/access/entering-clients.js';
import { SECRET, signToken } from '../../support/access/tokens.js';
import { temporaryFolder } from '../../support/cleanup.js';
import { pregon, startPregon } from '../../support/processes.js';

const CONFIGURATION = `
log: sqlite:log.db
exchanges: [e]
auth:
  issuers:
    - { issuer: shop, secretFile: keys/shop.txt }
websocket:
  routes:
    events: { path: /events, allow: [{ subscribe: '#' }] }
`;

function project(configuration = CONFIGURATION): string {
  const cwd = temporaryFolder();
  mkdirSync(join(cwd, 'keys'));
  writeFileSync(join(cwd, 'keys/shop.txt'), SECRET);
  writeFileSync(join(cwd, 'keys/http.txt'), 'the-token-of-the-port');
  writeFileSync(join(cwd, 'pregon.yml'), configuration);
  return cwd;
}

async function run(cwd: string, ...flags: readonly string[]) {
  const gateway = startPregon(['run', '127.0.0.1:0', '--http-port=0', '--http-token-file=keys/http.txt', ...flags], {
    cwd,
  });
  const [, ws = ''] = await gateway.until(/(ws:\S+)\/events/);
  const [, http = ''] = await gateway.until(/ http +(http:\S+)/);
  return {
    address: { ws: (path: string) => ws + path, http: (path: string) => ws.replace('ws', 'http') + path },
    http,
  };
}

const old = (sub: string, jti?: string) => signToken({ sub, ...(jti ? { jti } : {}) }, { issuedAgoS: 2 });

async function enter({ address }: Awaited<ReturnType<typeof run>>, token: string): Promise<EnteringClient> {
  const client = ENTERING['pregon.v1']?.(address, token);
  if (!client) throw new Error('there is a client');
  expect(await client.entered).toBe('connected');
  return client;
}

describe('[H-06] pregon revoke, block and unblock', () => {
  it.each([[], ['--workers=2']])('end connections of a running gateway %s', async (...flags) => {
    const cwd = project();
    const gateway = await run(cwd, ...flags.flat());
    const clients = await Promise.all(['ada', 'bob', 'eve'].map(async (sub) => enter(gateway, await old(sub, sub))));
    const commands = [
      ['revoke', '--sub=ada'],
      ['revoke', '--iss=shop', '--jti=bob'],
      ['block', '--sub=eve', '--until=1h'],
    ];
    for (const [index, args] of commands.entries()) {
      const { code, stdout } = await pregon(args, { cwd });
      expect([code, stdout]).toEqual([0, expect.stringMatching(/^(revoked|blocked) \{"kind":/)]);
      expect(await clients[index]?.ended).toBe('4506');
    }
    const listed = (await pregon(['revocations'], { cwd })).stdout.split('\n');
    expect(
      listed.filter((line) => /^\d{4}-\S+Z {2}\{"kind":"(subject|token|block)","iss":"shop"/.test(line)),
    ).toHaveLength(3);
    expect((await pregon(['unblock', '--sub=eve'], { cwd })).code).toBe(0);
    await expect.poll(async () => ENTERING['pregon.v1']?.(gateway.address, await old('eve')).entered).toBe('connected');
    const rest = await enter(gateway, await old('zoe'));
    expect((await pregon(['revoke', '--issued-before=now'], { cwd })).code).toBe(0);
    expect(await rest.ended).toBe('4506');
  });

  it.each<[string[], number, RegExp]>([
    [['revoke'], 2, /exactly one of --sub, --jti and --issued-before/],
    [['revoke', '--sub=1', '--jti=2'], 2, /exactly one of/],
    [['revoke', '--issued-before=2999-01-01'], 2, /issuedBefore must not be in the future/],
    [['revoke', '--issued-before=2030-01-31T12:00'], 2, /--issued-before must be a time such as/],
    [['block', '--sub=1'], 2, /--until is missing/],
    [['block', '--sub=1', '--until=2020-01-01'], 2, /until must be in the future/],
    [['unblock'], 2, /--sub is missing/],
    [['revoke', '--sub=1', '--log=sqlite:other.db'], 1, /there is no log/],
  ])('pregon %j ends with %i and says why', async (args, code, message) => {
    const cwd = project();
    await pregon(['publish', 'e', 't', '{}', '--type=T'], { cwd });
    const result = await pregon(args, { cwd });
    expect([result.code, result.stderr]).toEqual([code, expect.stringMatching(message)]);
  });

  it('need --iss if the configuration has no issuer, or several', async () => {
    const several = CONFIGURATION.replace('    - {', '    - { issuer: other, secretFile: keys/http.txt }\n    - {');
    for (const configuration of ['log: sqlite:log.db\n', several]) {
      const cwd = project(configuration);
      await pregon(['publish', 'e', 't', '{}', '--type=T'], { cwd });
      const { code, stderr } = await pregon(['revoke', '--sub=1'], { cwd });
      expect([code, stderr]).toEqual([1, expect.stringContaining('--iss is missing')]);
    }
  });

  it('pregon publish refuses the reserved exchange', async () => {
    const { code, stderr } = await pregon(['publish', '$pregon', 'revocation', '{}', '--type=T'], { cwd: project() });
    expect([code, stderr]).toEqual([1, expect.stringContaining('reserved')]);
  });
});

describe('[H-06] POST /revocations', () => {
  it('revokes, blocks and unblocks with the token of the port, and refuses what is not a revocation', async () => {
    const gateway = await run(project());
    const post = async (body: unknown, token = 'the-token-of-the-port') => {
      const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
      const response = await fetch(`${gateway.http}/revocations`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      return [response.status, await response.json()];
    };
    const [ada, bob] = [await enter(gateway, await old('ada')), await enter(gateway, await old('bob'))];
    expect(await post({ iss: 'shop', sub: 'ada' }, 'another-token')).toEqual([401, expect.anything()]);
    expect(await post({ iss: 'shop', sub: 'ada' })).toEqual([
      201,
      expect.objectContaining({ kind: 'subject', sub: 'ada' }),
    ]);
    expect(await ada.ended).toBe('4506');
    const until = new Date(Date.now() + 60_000).toISOString();
    expect(await post({ iss: 'shop', sub: 'bob', until })).toEqual([201, expect.objectContaining({ kind: 'block' })]);
    expect(await bob.ended).toBe('4506');
    expect(await post({ iss: 'shop', sub: 'bob', until: null })).toEqual([
      201,
      expect.objectContaining({ kind: 'unblock' }),
    ]);
    await enter(gateway, await old('bob'));
    const wrong = [[], {}, { iss: 'shop' }, { iss: 'shop', sub: '' }, { iss: 'shop', sub: '1', jti: '2' }];
    const times = [{ until: 1 }, { until: '2030' }, { issuedBefore: Date.now() + 60_000 }, { until: 9e15 }];
    for (const body of [...wrong, ...times.map((time) => ({ iss: 'shop', sub: '1', ...time }))]) {
      expect(await post(body)).toEqual([400, expect.objectContaining({ detail: expect.any(String) })]);
    }
  });
});
