import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { matchesTopic } from '@pregon/protocol';
import { type JWTPayload, jwtVerify } from 'jose';
import type { GatewayOptions, RouteOptions, Snapshot } from 'pregon';
import { describe, expect, it } from 'vitest';
import { ISSUER, SECRET, signToken } from '../../../support/access/tokens.js';
import { afterTest, temporaryFolder } from '../../../support/cleanup.js';
import { FramesClient } from '../../../support/gateway/frames-client.js';
import { type StartOptions, startGateway, type TestGateway } from '../../../support/gateway/gateway.js';
import { SocketIoClient } from '../../../support/gateway/socketio-client.js';
import { StreamClient } from '../../../support/gateway/stream-client.js';

const SNAPSHOT_SECRET = 'the secret of gateway and application';

const ALLOW: NonNullable<RouteOptions['allow']> = [
  { subscribe: 'public.#', who: 'anyone' },
  { subscribe: 'user.{sub}.#' },
  { subscribe: '#', if: { role: 'admin' } },
];

const ROWS = [{ topic: 'public.1' }, { topic: 'user.ada.1' }, { topic: 'user.grace.1' }, { topic: 'secret' }];

function allowedRows(topics: readonly string[]): Snapshot {
  return { rows: ROWS.filter(({ topic }) => topics.some((pattern) => matchesTopic(pattern, topic))), sequence: 0 };
}

interface Application {
  readonly url: string;
  /** The claims of the tokens of all requests so far. */
  readonly claims: JWTPayload[];
  /** Answers with an error of the application. */
  isBroken: boolean;
}

/** An application that checks the token of the gateway, and returns the rows of its topics. */
async function startApplication(secret = SNAPSHOT_SECRET): Promise<Application> {
  const answer = async ({ headers }: IncomingMessage): Promise<Snapshot> => {
    const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
    const key = new TextEncoder().encode(secret);
    const { payload } = await jwtVerify(token, key, { issuer: 'pregon', audience: application.url });
    application.claims.push(payload);
    if (application.isBroken) throw new Error('the database password is 1234');
    return allowedRows(Object(payload['topics']));
  };
  const server = createServer((request, response) => {
    answer(request).then(
      (snapshot) => response.end(JSON.stringify(snapshot)),
      (error: Error) => response.writeHead(500).end(error.message),
    );
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(Number(Object(server.address()).port)));
  });
  afterTest(() => {
    server.close();
    server.closeAllConnections();
  });
  const application: Application = { url: `http://127.0.0.1:${port}/rows`, claims: [], isBroken: false };
  return application;
}

function start(snapshot: RouteOptions['snapshot'], options: StartOptions = {}): Promise<TestGateway> {
  return startGateway({
    auth: { issuers: [{ issuer: ISSUER, secret: SECRET }] },
    routes: { events: { path: '/events', allow: ALLOW, ...(snapshot === undefined ? {} : { snapshot }) } },
    ...options,
  });
}

/** The rows that a client of each transport gets, or the code of the refusal. */
const CLIENTS: Readonly<Record<string, (gateway: TestGateway, token?: string) => Promise<unknown>>> = {
  async 'pregon.v1'({ ws }, token) {
    const client = await FramesClient.open(ws('/events'), { headers: headersOf(token) });
    const answer = await client.subscribe({ id: 1, snapshot: true });
    return answer.op === 'error' ? answer.code : topicsOf(client.controls('snapshot').flatMap(({ rows }) => rows));
  },
  async 'an event stream'({ http }, token) {
    const client = new StreamClient(http('/events?snapshot=true'), headersOf(token));
    const outcome = await Promise.race([
      client.block('snapshot').then(({ data }) => topicsOf(Object(data).rows)),
      client.failures.count(1).then(([status]) => (status === 403 ? 'FORBIDDEN' : status)),
    ]);
    client.source.close();
    return outcome;
  },
  async 'Socket.IO'({ http }, token) {
    const client = new SocketIoClient(http('/events'), { auth: { snapshot: true, ...(token ? { token } : {}) } });
    await client.received.until(() => ['snapshot', 'refused'].some((name) => client.of(name).length > 0), 'an answer');
    const [[refused] = []] = client.of('refused');
    return Object(refused).code ?? topicsOf(client.of('snapshot').flatMap(([part]) => Object(part).rows));
  },
};

function headersOf(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { Authorization: `Bearer ${token}` };
}

function topicsOf(rows: readonly unknown[]): string[] {
  return rows.map((row) => String(Reflect.get(Object(row), 'topic')));
}

describe.each(Object.entries(CLIENTS))('[I-9] [H-07] A snapshot for a client by %s', (_, rowsOf) => {
  it.each<[name: string, snapshotOf: () => Promise<RouteOptions['snapshot']>]>([
    ['by a function', async () => ({ per: 'rights', read: ({ topics }) => allowedRows(topics) })],
    ['by URL', async () => ({ per: 'rights', url: (await startApplication()).url })],
  ])('%s has the rows of its own rights, and no others', async (_name, snapshotOf) => {
    const gateway = await start(await snapshotOf(), { snapshotSecret: SNAPSHOT_SECRET });
    expect(await rowsOf(gateway)).toEqual(['public.1']);
    expect(await rowsOf(gateway, await signToken({ sub: 'ada' }))).toEqual(['public.1', 'user.ada.1']);
    expect(await rowsOf(gateway, await signToken({ sub: 'grace' }))).toEqual(['public.1', 'user.grace.1']);
    expect(await rowsOf(gateway, await signToken({ sub: 'eve', role: 'admin' }))).toEqual(
      ROWS.map(({ topic }) => topic),
    );
  });

  it('that does not know the rights is for clients with the right to all topics only', async () => {
    const gateway = await start(() => allowedRows(['#']));
    expect(await rowsOf(gateway, await signToken({ sub: 'ada' }))).toBe('FORBIDDEN');
    expect(await rowsOf(gateway, await signToken({ role: 'admin' }))).toEqual(ROWS.map(({ topic }) => topic));
  });

  it('is refused for the rights before the client learns whether there is one', async () => {
    const gateway = await start(undefined);
    expect(await rowsOf(gateway, await signToken({ sub: 'ada' }))).toBe('FORBIDDEN');
    expect(await rowsOf(gateway, await signToken({ role: 'admin' }))).not.toBe('FORBIDDEN');
  });
});

describe('[H-07] The request for a snapshot by URL', () => {
  it('is signed for 30 seconds, with the patterns, and per identity with the identity', async () => {
    const application = await startApplication();
    const { url, claims } = application;
    const snapshotSecretFile = join(temporaryFolder(), 'snapshot.txt');
    writeFileSync(snapshotSecretFile, `${SNAPSHOT_SECRET}\n`);
    const gateway = await start({ per: 'identity', url: `${url}?table=users` }, { snapshotSecretFile });
    const token = await signToken({ sub: 'ada', team: 7, iss: 'pregon', topics: ['#'] });
    expect(await CLIENTS['pregon.v1']?.(gateway, token)).toEqual(['public.1', 'user.ada.1']);
    expect(await CLIENTS['pregon.v1']?.(gateway)).toEqual(['public.1']);
    const [ofAda = {}, ofNobody = {}] = claims;
    expect(ofAda).toMatchObject({ iss: 'pregon', aud: url, topics: ['public.#', 'user.ada.#'] });
    expect(ofAda['identity']).toMatchObject({ iss: ISSUER, sub: 'ada', claims: { team: 7 } });
    expect((ofAda.exp ?? 0) - (ofAda.iat ?? 0)).toBe(30);
    expect(ofAda.sub).toBeUndefined();
    expect(ofNobody).not.toHaveProperty('identity');
  });

  it('uses a new secret as soon as it is in the file', async () => {
    const file = join(temporaryFolder(), 'snapshot.txt');
    writeFileSync(file, SNAPSHOT_SECRET);
    const application = await startApplication('another secret of at least 32 bytes');
    const gateway = await start({ per: 'rights', url: application.url }, { snapshotSecretFile: file });
    expect(await CLIENTS['pregon.v1']?.(gateway)).toBe('SNAPSHOT_UNAVAILABLE');
    writeFileSync(file, 'another secret of at least 32 bytes');
    expect(await CLIENTS['pregon.v1']?.(gateway)).toEqual(['public.1']);
    writeFileSync(file, 'short');
    expect(await CLIENTS['pregon.v1']?.(gateway)).toBe('SNAPSHOT_UNAVAILABLE');
  });

  it('[I-8] tells the client nothing of an error of the application, and the log what it needs', async () => {
    const lines: string[] = [];
    const log = (fields: object, message: string) => void lines.push(`${message} ${Reflect.get(fields, 'err')}`);
    const application = await startApplication();
    application.isBroken = true;
    const gateway = await start(
      { per: 'rights', url: application.url },
      { snapshotSecret: SNAPSHOT_SECRET, logger: { info() {}, debug() {}, warn: log, error: log } },
    );
    const client = await FramesClient.open(gateway.ws('/events'));
    expect(await client.subscribe({ id: 1, snapshot: true })).toEqual({
      op: 'error',
      id: 1,
      code: 'SNAPSHOT_UNAVAILABLE',
      message: 'the snapshot cannot be read now',
      retryable: true,
    });
    expect(lines.join()).toContain(`${application.url} answered 500`);
    expect(lines.join()).not.toContain(SNAPSHOT_SECRET);
  });

  it('says in the log what to configure, if a snapshot is forbidden because it does not know the rights', async () => {
    const lines: string[] = [];
    const logger = { info() {}, debug() {}, error() {}, warn: (_: object, line: string) => void lines.push(line) };
    const gateway = await start(() => allowedRows(['#']), { logger });
    expect(await CLIENTS['pregon.v1']?.(gateway, await signToken())).toBe('FORBIDDEN');
    expect(lines.join()).toContain('per: rights');
  });

  it('is not begun if the token does not fit into a header; other clients are not affected', async () => {
    const application = await startApplication();
    const options: Partial<GatewayOptions> = {
      snapshotSecret: SNAPSHOT_SECRET,
      auth: {
        verify: ({ headers }) => ({ iss: ISSUER, sub: 'ada', claims: { x: 'x'.repeat(Number(headers['x-size'])) } }),
      },
    };
    const gateway = await start({ per: 'identity', url: application.url }, options);
    const rowsOf = async (size: string) => {
      const client = await FramesClient.open(gateway.ws('/events'), { headers: { 'X-Size': size } });
      const answer = await client.subscribe({ id: 1, snapshot: true });
      return answer.op === 'error' ? answer.code : answer.op;
    };
    expect([await rowsOf('20000'), await rowsOf('10')]).toEqual(['SNAPSHOT_UNAVAILABLE', 'subscribed']);
    expect(application.claims).toHaveLength(1);
  });
});

describe('A gateway does not start', () => {
  const url = 'http://127.0.0.1:1/rows';
  const read = () => allowedRows(['#']);

  it.each<[name: string, snapshot: unknown, options: StartOptions, error: RegExp]>([
    ['a URL per rights without a secret', { per: 'rights', url }, {}, /routes\.events\.snapshot.*needs snapshotSecret/],
    ['a short secret', { per: 'rights', url }, { snapshotSecret: 'short' }, /snapshotSecret has 5 bytes.*at least 32/],
    [
      'a missing secret file',
      { per: 'rights', url },
      { snapshotSecretFile: '/nowhere/secret' },
      /snapshotSecretFile: the file \/nowhere\/secret/,
    ],
    [
      'two secrets',
      { per: 'rights', url },
      { snapshotSecret: SNAPSHOT_SECRET, snapshotSecretFile: '/nowhere/secret' },
      /exclude each other/,
    ],
    [
      'a password beside the secret',
      { per: 'rights', url: url.replace('//', '//me:hidden@') },
      { snapshotSecret: SNAPSHOT_SECRET },
      /^(?!.*hidden).*remove the password/,
    ],
    ['an unknown scope', { per: 'user', read }, {}, /routes\.events\.snapshot must be/],
    ['no scope', { read }, {}, /routes\.events\.snapshot must be/],
    ['neither read nor url', { per: 'rights' }, {}, /routes\.events\.snapshot must be/],
    ['both read and url', { per: 'rights', read, url }, {}, /routes\.events\.snapshot must be/],
    ['a mistyped member', { per: 'rights', read, scope: 'all' }, {}, /snapshot\.scope is not an option/],
    ['a reader that is no function', { per: 'rights', read: url }, {}, /read must be a function/],
  ])('with a snapshot with %s', async (_, snapshot, options, error) => {
    const routes: GatewayOptions['routes'] = { events: { path: '/events', allow: ALLOW } };
    Object.assign(routes['events'] ?? {}, { snapshot });
    await expect(start(undefined, { routes, ...options })).rejects.toThrow(error);
  });
});
