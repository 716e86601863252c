import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type SignOptions, signToken, type TokenClaims } from '../../support/access/tokens.js';
import { temporaryFolder } from '../../support/cleanup.js';
import { PlainClient, refusal } from '../../support/gateway/plain-client.js';
import { pregon, startPregon } from '../../support/processes.js';
import { eventually } from '../../support/waiting.js';

const OLD = 'the old secret, which has more than 32 bytes';
const NEW = 'the new secret, which has more than 32 bytes';

const CONFIGURATION = `
log: sqlite:log.db
exchanges: [e]
auth:
  issuers:
    - { issuer: shop, secretFile: keys/shop.txt }
  maxTokenLifetime: 2h
websocket:
  routes:
    events:
      path: /events
      allow:
        - { subscribe: 'public.#', who: anyone }
        - { subscribe: 'user.{sub}.#' }
        - { subscribe: 'org.{org.id}.#', if: { role: [admin, owner] } }
        - { send: bid, if: { role: admin } }
    teams: { path: /teams, topics: ['team.#'], access: public }
    audit: { path: /audit }
`;

/** A folder with a configuration and its secret. */
function project(configuration = CONFIGURATION): string {
  const cwd = temporaryFolder();
  mkdirSync(join(cwd, 'keys'));
  writeFileSync(join(cwd, 'keys/shop.txt'), `${OLD}\n`);
  writeFileSync(join(cwd, 'pregon.yml'), configuration);
  return cwd;
}

function replaceSecret(cwd: string, secret: string): void {
  writeFileSync(join(cwd, 'keys/next.txt'), secret);
  renameSync(join(cwd, 'keys/next.txt'), join(cwd, 'keys/shop.txt'));
}

async function runGateway(cwd: string, ...flags: readonly string[]) {
  const gateway = startPregon(['run', '127.0.0.1:0', ...flags], { cwd });
  const [, url = ''] = await gateway.until(/(ws:\S+events)/);
  return { gateway, url };
}

function bearer(token: string) {
  return { headers: { Authorization: `Bearer ${token}` } };
}

const sign = (claims?: TokenClaims, options?: SignOptions) => signToken(claims, { secret: OLD, ...options });

async function isAdmitted(url: string, token: string): Promise<boolean> {
  try {
    const client = await PlainClient.open(url, bearer(token));
    client.close();
    return true;
  } catch {
    return false;
  }
}

describe('pregon run with auth', () => {
  it('[H-02] serves each token what the rules of pregon.yml grant, and names issuers and open routes at its start', async () => {
    const cwd = project();
    const { gateway, url } = await runGateway(cwd);
    expect(gateway.stdout).toMatch(/^ {2}access {5}tokens of shop; open to all: teams; closed: audit$/m);
    for (const topic of ['public.1', 'user.42.created', 'user.43.created', 'org.7.closed']) {
      await pregon(['publish', 'e', topic, '{}', '--type=T'], { cwd });
    }
    const topicsOf = async (count: number, options = {}) => {
      const client = await PlainClient.open(`${url}?since=first`, options);
      await client.events.count(count);
      return client.events.all.map(({ topic }) => topic);
    };
    expect(await topicsOf(1)).toEqual(['public.1']);
    const token = await sign({ sub: '42', role: 'admin', org: { id: 7 } });
    expect(await topicsOf(3, bearer(token))).toEqual(['public.1', 'user.42.created', 'org.7.closed']);
    expect((await refusal(url.replace('events', 'audit'), bearer(token))).statusCode).toBe(403);
    expect((await refusal(url, bearer(await sign({}, { secret: NEW })))).statusCode).toBe(401);
    expect(gateway.stdout).not.toContain(token);
  });

  it('[H-01] says without auth who may connect', async () => {
    const cwd = temporaryFolder();
    const open = startPregon(['run', '127.0.0.1:0', '--route=events', '--exchange=e'], { cwd });
    await open.until(/^ {2}access {5}this machine only$/m);
    const origins = startPregon(
      [
        ...['run', '127.0.0.1:0', '--route=events', '--exchange=e', '--access=public'],
        ...['--allowed-origin=https://shop.example', '--allow-null-origin'],
      ],
      { cwd },
    );
    await origins.until(
      /public: without tokens, all programs and pages of https:\/\/shop\.example and of the origin null$/m,
    );
  });

  it.each<[string, env: Record<string, string>, file: string]>([
    ['PREGON_ACCESS', { PREGON_ACCESS: 'public' }, ''],
    ['the configuration', {}, 'access: public\n'],
  ])('[H-01] is opened by %s, for its workers too', async (_, env, file) => {
    const cwd = temporaryFolder();
    writeFileSync(
      join(cwd, 'pregon.yml'),
      `${file}exchanges: [e]\nwebsocket: { routes: { events: { path: /events } } }\n`,
    );
    const gateway = startPregon(['run', '127.0.0.1:0', '--workers=2'], {
      cwd,
      env: { NODE_ENV: 'production', ...env },
    });
    const [, port = ''] = await gateway.until(/ws:\S+:(\d+)\/events[\s\S]* access {5}public: without tokens/);
    for (let client = 0; client < 4; client++) {
      const headers = { Host: 'gateway.example', 'X-Forwarded-For': '203.0.113.7' };
      await PlainClient.open(`ws://127.0.0.1:${port}/events`, { headers });
    }
  });

  it('[H-01] does not start in production with neither auth nor access, and says why', async () => {
    const cwd = temporaryFolder();
    const args = ['run', '127.0.0.1:0', '--route=events', '--exchange=e'];
    for (const flags of [args, [...args, '--workers=2']]) {
      const { code, stderr, stdout } = await pregon(flags, { cwd, env: { NODE_ENV: 'production' } });
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(
        /NODE_ENV is production, but nothing says who may connect: configure auth; .*PREGON_ACCESS/,
      );
    }
    const wrong = await pregon(args, { cwd, env: { PREGON_ACCESS: 'open' } });
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('PREGON_ACCESS must be "public"')]);
  });

  it('[H-01] does not start with access beside auth', async () => {
    const cwd = project();
    for (const [flags, env] of [
      [['--access=public'], {}],
      [[], { PREGON_ACCESS: 'public' }],
    ] as const) {
      const { code, stderr } = await pregon(['run', '127.0.0.1:0', ...flags], { cwd, env });
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /(--access|PREGON_ACCESS) cannot be set beside auth in pregon\.yml: remove one of the two/,
      );
    }
  });

  it('[H-02] reports a wrong rule with file, line and rule, and does not start', async () => {
    const cwd = project(CONFIGURATION.replace('public.#', 'public..#'));
    const { code, stderr } = await pregon(['run', '127.0.0.1:0'], { cwd });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^pregon\.yml:13:11 websocket\.routes\.events\.allow\[0\]: \{"subscribe":"public\.\.#","who":"anyone"\}: .* not a topic pattern/,
    );
  });

  it.each([
    ['as one process', []],
    ['with workers', ['--workers=2']],
  ])('[H-02] reads key files at once at SIGHUP, %s', async (_, flags) => {
    const cwd = project();
    const { gateway, url } = await runGateway(cwd, ...flags);
    const renewed = await sign({}, { secret: NEW });
    expect(await isAdmitted(url, renewed)).toBe(false);
    replaceSecret(cwd, NEW);
    gateway.signal('SIGHUP');
    const processes = flags.length + 1;
    await eventually(
      () => gateway.stdout.split('the keys of tokens were read again').length - 1,
      (count) => count === processes,
    );
    for (let attempt = 0; attempt < 2 * processes; attempt++) {
      expect(await isAdmitted(url, renewed)).toBe(true);
      expect(await isAdmitted(url, await sign())).toBe(false);
    }
    expect((await gateway.kill()).code).toBe(0);
  });
});

describe('[H-04] pregon connect and pregon bench', () => {
  it('show a token from a file or PREGON_TOKEN, and never take one as an argument', async () => {
    const cwd = project();
    const { url } = await runGateway(cwd);
    await pregon(['publish', 'e', 'user.42.created', '{}', '--type=T'], { cwd });
    const token = await sign({ sub: '42' });
    writeFileSync(join(cwd, 'token'), `${token}\n`);
    const address = `${url}?since=first`;
    const fromFile = await pregon(['connect', address, '--token-file=token'], { cwd });
    expect(fromFile.stdout).toContain('user.42.created');
    const fromEnvironment = await pregon(['connect', address], { cwd, env: { PREGON_TOKEN: token } });
    expect(fromEnvironment.stdout).toContain('user.42.created');
    const refused = await pregon(['connect', address], { cwd, env: { PREGON_TOKEN: `${token}x` } });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/401 .*--token-file=FILE/) });
    expect(refused.stderr).not.toContain(token);
    const asArgument = await pregon(['connect', address, `--token=${token}`], { cwd });
    expect(asArgument).toMatchObject({ code: 2, stderr: expect.stringContaining('unknown flag "--token"') });
    const bench = ['bench', url, '--connections=2', '--duration=1s', '--exchange=e', '--log=sqlite:log.db'];
    const load = [...bench, '--topics=user.42.#', '--publish-topics=user.42.bench', '--json'];
    const measured = await pregon([...load, '--token-file=token'], { cwd });
    expect(JSON.parse(measured.stdout)).toMatchObject({ ok: true });
    const shown = await pregon([...load, `--header=Authorization: Bearer ${token}`], { cwd });
    expect(shown.stderr).toMatch(/^pregon: --header shows a secret .*; use --token-file or PREGON_TOKEN\n/);
  });
});

describe('[H-02] pregon token check', () => {
  it('prints identity, expiry and the rights on each route', async () => {
    const cwd = project();
    const input = await sign({ sub: '42', role: 'admin', org: { id: 7 } });
    const { code, stdout } = await pregon(['token', 'check'], { cwd, input });
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'issuer        shop',
      'subject       42',
      expect.stringMatching(/^expires {7}\d{4}-\S+Z \(in 3\d\d\d s\)$/),
      'route events  subscribe org.7.#, public.#, user.42.#; send bid',
      'route teams   everything: the route is public',
      'route audit   nothing: the route is closed',
      '',
    ]);
  });

  it.each([
    ['an expired token', () => sign({}, { expiresInS: -60 }), /^pregon: the token has expired/],
    ['a token of another secret', () => sign({}, { secret: NEW }), /^pregon: the signature of the token is wrong/],
    ['a token of another issuer', () => sign({}, { issuer: 'x' }), /^pregon: the issuer of the token is not accepted/],
    ['a token that is valid for too long', () => sign({}, { expiresInS: 10_800 }), /raise auth\.maxTokenLifetime/],
  ])('refuses %s with the reason and exit code 1', async (_, make, reason) => {
    const input = await make();
    const { code, stdout, stderr } = await pregon(['token', 'check'], { cwd: project(), input });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(reason);
    expect(stderr).not.toContain(input);
  });

  it('says what is missing without auth, and without a token', async () => {
    const without = await pregon(['token', 'check'], { cwd: temporaryFolder(), input: 'x' });
    expect(without).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no configuration file') });
    const empty = await pregon(['token', 'check'], { cwd: project() });
    expect(empty).toMatchObject({ code: 2, stderr: expect.stringContaining('standard input must contain one token') });
  });
});

describe('[H-02] pregon token sign', () => {
  it('signs a token that the gateway accepts, with claims as JSON or text', async () => {
    const cwd = project();
    const claims = ['--claim', 'role=owner', '--claim', 'org={"id":7}'];
    const signed = await pregon(['token', 'sign', '--sub=42', '--expires=15m', ...claims], { cwd });
    expect(signed).toMatchObject({ code: 0, stderr: '' });
    const [, payload = ''] = signed.stdout.split('.');
    const { iat, exp, ...others } = JSON.parse(Buffer.from(payload, 'base64url').toString());
    expect(others).toEqual({ iss: 'shop', sub: '42', role: 'owner', org: { id: 7 } });
    expect(exp - iat).toBe(900);
    const checked = await pregon(['token', 'check'], { cwd, input: signed.stdout });
    expect(checked.stdout).toContain('subscribe org.7.#, public.#, user.42.#\n');
  });

  it('refuses an issuer that signs with a private key, a lifetime that is too long, and its own claims', async () => {
    const keys = '[{ issuer: login, audience: p, jwks: "http://127.0.0.1:1/" }]';
    const foreign = project(`auth: { issuers: ${keys} }\n`);
    expect(await pregon(['token', 'sign', '--sub=42'], { cwd: foreign })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no issuer of the configuration has a secretFile for HS256'),
    });
    const cwd = project();
    expect(await pregon(['token', 'sign', '--sub=42', '--expires=3h'], { cwd })).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('the token is valid for longer than is accepted'),
    });
    expect(await pregon(['token', 'sign', '--sub=42', '--claim=iss=x'], { cwd })).toMatchObject({ code: 2 });
    expect(await pregon(['token', 'sign', '--sub=42', '--issuer=x'], { cwd })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('the issuer "x" is not configured; this command can sign for: shop'),
    });
  });
});

describe('[H-03] pregon access explain', () => {
  it('names the rule that grants a topic, and for each rule why it does not', async () => {
    const cwd = project();
    const input = await sign({ sub: '42', role: 'guest' });
    const granted = await pregon(['access', 'explain', 'user.42.created', '--route=events'], { cwd, input });
    expect(granted).toMatchObject({
      code: 0,
      stdout: 'events: yes\n  allow[1] {"subscribe":"user.{sub}.#"}: user.42.# matches\n',
    });
    const hidden = await pregon(['access', 'explain', 'org.7.closed'], { cwd, input });
    expect(hidden.code).toBe(1);
    expect(hidden.stdout.split('\n')).toEqual([
      'events: no, no rule grants the topic',
      '  allow[0] {"subscribe":"public.#","who":"anyone"}: public.# does not match',
      '  allow[1] {"subscribe":"user.{sub}.#"}: user.42.# does not match',
      '  allow[2] {"subscribe":"org.{org.id}.#","if":{"role":["admin","owner"]}}: the claim "role" is not admin or owner',
      '  allow[3] {"send":"bid","if":{"role":"admin"}}: it is not about topics to subscribe to',
      'teams: no, the route carries only team.#',
      'audit: no, the route is closed: it has neither allow nor access',
      '',
    ]);
    const anonymous = await pregon(['access', 'explain', 'user.42.created', '--route=events', '--anonymous'], { cwd });
    expect(anonymous).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('allow[1] {"subscribe":"user.{sub}.#"}: it needs a token'),
    });
    const unknown = await pregon(['access', 'explain', 'a', '--route=evnts', '--anonymous'], { cwd });
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no route "evnts"') });
  });
});
