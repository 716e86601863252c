import { once } from 'node:events';
import { type PregonEvent, toRevocation } from '@pregon/protocol';
import { type GatewayOptions, type KeptListener, openLog } from 'pregon';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { ENTERING, type Enter } from '../../support/access/entering-clients.js';
import { ISSUER, SECRET, signToken } from '../../support/access/tokens.js';
import { numberedEvent, openTestLog, startGateway, type TestGateway } from '../../support/gateway/gateway.js';
import { SocketIoClient } from '../../support/gateway/socketio-client.js';

const AUTH: NonNullable<GatewayOptions['auth']> = { issuers: [{ issuer: ISSUER, secret: SECRET }] };

const COMPONENT = { onOpen() {}, onMessage() {}, onClose() {}, onError() {} };

function start(options: Partial<GatewayOptions> & { logFile?: string } = {}): Promise<TestGateway> {
  return startGateway({
    auth: AUTH,
    routes: { events: { path: '/events', allow: [{ subscribe: '#' }] } },
    ...options,
  });
}

/** A token that was issued two seconds ago, so that a revocation of now ends it. */
async function oldToken(sub: string, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
  return signToken({ sub, ...more }, { issuedAgoS: 2 });
}

/** A token that is newer than a revocation of now: `iat` has whole seconds. */
function newToken(sub: string): Promise<string> {
  return signToken({ sub }, { issuedAgoS: -1 });
}

/** Calls back with no values, and never again. */
async function followOnce(changed: KeptListener): Promise<() => Promise<void>> {
  changed(new Map(), undefined);
  return async () => {};
}

/** A client of long polling that has not fetched what waits for it loses its session without being told why. */
const REVOKED = /^(4506|transport error)$/;

async function refusalOf(enter: Enter, gateway: TestGateway, token: string): Promise<string> {
  const client = enter(gateway, token);
  expect(await client.entered).toBe('refused');
  return client.ended;
}

describe.each(Object.entries(ENTERING))('[H-06] [I-11] A revoked client by %s', (_name, enter) => {
  it('gets nothing after the revocation, is told so, and does not come back with its token', async () => {
    const gateway = await start();
    const [ada, bob] = [await oldToken('ada'), await oldToken('bob')];
    const [revoked, other] = [enter(gateway, ada), enter(gateway, bob)];
    expect([await revoked.entered, await other.entered]).toEqual(['connected', 'connected']);
    await gateway.append(3);
    await expect.poll(() => revoked.numbers).toEqual([1, 2, 3]);
    await gateway.gateway.revoke({ iss: ISSUER, sub: 'ada' });
    await gateway.append(3);
    expect(await revoked.ended).toMatch(REVOKED);
    await expect.poll(() => other.numbers).toEqual([1, 2, 3, 4, 5, 6]);
    expect(revoked.numbers).toEqual([1, 2, 3]);
    expect(await refusalOf(enter, gateway, ada)).toMatch(/^(401|4506|the identity was revoked)$/);
    expect(await enter(gateway, await newToken('ada')).entered).toBe('connected');
  });

  it('[I-1] gets no event that is after the revocation in the log, even if both are read at once', async () => {
    const { logFile } = await start();
    const log = await openTestLog(logFile);
    // This gateway learns of revocations from their events alone.
    const deaf = new Proxy(log, {
      get(target, name) {
        if (name === 'kept') return { put: () => Promise.resolve(), follow: followOnce };
        const member: unknown = Reflect.get(target, name);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
    const gateway = await start({ log: deaf });
    const [ada, bob] = [enter(gateway, await oldToken('ada')), enter(gateway, await oldToken('bob'))];
    expect([await ada.entered, await bob.entered]).toEqual(['connected', 'connected']);
    const data = toRevocation({ iss: ISSUER, sub: 'ada' }, Date.now());
    const names = { id: '1', source: '/pregon', type: 'IdentityWasRevoked', topic: 'revocation', exchange: '$pregon' };
    await log.append([numberedEvent(1), { specversion: '1.0', ...names, data }, numberedEvent(2)]);
    await expect.poll(() => bob.numbers).toEqual([1, 2]);
    expect(await ada.ended).toMatch(REVOKED);
    expect(ada.numbers).not.toContain(2);
  });

  it('loses one token by its jti, and all older ones by issuedBefore', async () => {
    const gateway = await start();
    const [first, second] = [await oldToken('ada', { jti: 'a' }), await oldToken('ada', { jti: 'b' })];
    const [one, two] = [enter(gateway, first), enter(gateway, second)];
    expect([await one.entered, await two.entered]).toEqual(['connected', 'connected']);
    await gateway.gateway.revoke({ iss: ISSUER, jti: 'a' });
    expect(await one.ended).toMatch(REVOKED);
    await gateway.append(1);
    await expect.poll(() => two.numbers).toEqual([1]);
    await gateway.gateway.revoke({ iss: ISSUER, issuedBefore: new Date() });
    expect(await two.ended).toMatch(REVOKED);
    await refusalOf(enter, gateway, second);
    expect(await enter(gateway, await newToken('ada')).entered).toBe('connected');
  });

  it('stays out while it is blocked, with a new token as well, until the block ends or is lifted', async () => {
    const gateway = await start();
    const ada = enter(gateway, await oldToken('ada'));
    expect(await ada.entered).toBe('connected');
    await gateway.gateway.block({ iss: ISSUER, sub: 'ada', until: Date.now() + 3_600_000 });
    expect(await ada.ended).toMatch(REVOKED);
    await refusalOf(enter, gateway, await newToken('ada'));
    expect(await enter(gateway, await newToken('bob')).entered).toBe('connected');
    await gateway.gateway.unblock({ iss: ISSUER, sub: 'ada' });
    await expect.poll(async () => enter(gateway, await newToken('ada')).entered).toBe('connected');
    await gateway.gateway.block({ iss: ISSUER, sub: 'ada', until: Date.now() + 300 });
    await expect.poll(async () => enter(gateway, await newToken('ada')).entered).toBe('connected');
  });
});

describe('[H-06] [I-11] A revocation', () => {
  it('ends components, and namespaces of Socket.IO that are not routes', async () => {
    const gateway = await start({ namespaces: { '/lobby': 'authenticated' } });
    const got: unknown[] = [];
    const component = { ...COMPONENT, onMessage: (_: unknown, data: unknown) => void got.push(data) };
    gateway.gateway.mount('/chat', component, { access: 'authenticated' });
    gateway.gateway.io.of('/lobby');
    const token = await oldToken('ada');
    const socket = new WebSocket(gateway.ws('/chat'), { headers: { Authorization: `Bearer ${token}` } });
    onTestFinished(() => socket.terminate());
    await once(socket, 'open');
    const client = await SocketIoClient.open(gateway.http('/lobby'), { auth: { token }, reconnection: false });
    const disconnected = new Promise((resolve) => client.socket.once('disconnect', resolve));
    const closed = once(socket, 'close');
    await gateway.gateway.revoke({ iss: ISSUER, sub: 'ada' });
    socket.send('after the revocation');
    const [code]: unknown[] = await closed;
    expect(code).toBe(4506);
    expect(await disconnected).toBe('io server disconnect');
    gateway.gateway.io.of('/lobby').emit('news');
    expect(got).toEqual([]);
    expect(client.received.all).toEqual([]);
  });

  it('[I-8] also ends the others if a handler of the application fails, and that client gets nothing more', async () => {
    const errors: string[] = [];
    const logger = { info() {}, debug() {}, warn() {}, error: (_: object, text: string) => void errors.push(text) };
    const gateway = await start({ namespaces: { '/lobby': 'authenticated' }, logger });
    const lobby = gateway.gateway.io.of('/lobby');
    lobby.on('connection', (socket) => {
      socket.on('disconnecting', () => {
        throw new Error('a handler failed');
      });
    });
    const token = await oldToken('ada');
    const open = () => SocketIoClient.open(gateway.http('/lobby'), { auth: { token }, reconnection: false });
    const clients = [await open(), await open()];
    const left = clients.map(({ socket }) => new Promise((resolve) => socket.once('disconnect', resolve)));
    await gateway.gateway.revoke({ iss: ISSUER, sub: 'ada' });
    await Promise.all(left);
    lobby.emit('news');
    await expect.poll(() => errors.length).toBeGreaterThanOrEqual(2);
    expect(clients.flatMap(({ received }) => received.all)).toEqual([]);
  });

  it('reaches gateways that read other exchanges, and one that starts later', async () => {
    const first = await start({ exchanges: ['other'] });
    const token = await oldToken('ada');
    const plain = ENTERING['plain WebSocket'];
    if (!plain) throw new Error('there is a plain client');
    const client = plain(first, token);
    expect(await client.entered).toBe('connected');
    const second = await start({ logFile: first.logFile });
    await second.gateway.revoke({ iss: ISSUER, sub: 'ada' });
    expect(await client.ended).toMatch(REVOKED);
    await second.gateway.close();
    const third = await start({ logFile: first.logFile });
    expect(await refusalOf(plain, third, token)).toBe('401');
  });

  it('reaches a gateway on a log that the application opened for other exchanges', async () => {
    const { logFile, gateway: other } = await start();
    const log = await openLog(`sqlite:${logFile}`, { exchanges: ['events'] });
    onTestFinished(() => log.close());
    const gateway = await start({ log, exchanges: ['events'] });
    const client = ENTERING['plain WebSocket']?.(gateway, await oldToken('ada'));
    expect(await client?.entered).toBe('connected');
    await other.revoke({ iss: ISSUER, sub: 'ada' });
    expect(await client?.ended).toBe('4506');
  });

  it('is delivered to no client and no subscriber, live and replayed', async () => {
    const handled: string[] = [];
    const subscriber = { events: ['*'], handle: ({ type }: PregonEvent) => void handled.push(type) };
    const gateway = await startGateway({
      subscribers: [subscriber],
      routes: { events: { path: '/events' } },
    });
    const seen: string[] = [];
    const watch = (path: string) => {
      const socket = new WebSocket(gateway.ws(path));
      onTestFinished(() => socket.terminate());
      socket.on('message', (data) => seen.push(`${path} ${String(Reflect.get(JSON.parse(data.toString()), 'type'))}`));
      return once(socket, 'open');
    };
    await watch('/events');
    await gateway.append(1);
    await gateway.gateway.revoke({ iss: ISSUER, sub: 'ada' });
    await gateway.append(1);
    await expect.poll(() => seen).toEqual(['/events WasNumbered', '/events WasNumbered']);
    await watch('/events?since=first');
    await expect.poll(() => seen.length).toBe(4);
    expect(new Set(seen)).toEqual(new Set(['/events WasNumbered', '/events?since=first WasNumbered']));
    expect(handled).toEqual(['WasNumbered', 'WasNumbered']);
    const { entries } = await gateway.log.read({ after: 0 });
    expect(entries.map(({ exchange, type }) => `${exchange} ${type}`)).toContain('$pregon IdentityWasRevoked');
  });

  it('ends sessions of the application, which decides about new ones itself', async () => {
    const verify = () => ({ iss: 'shop', sub: 'ada' });
    const gateway = await start({ auth: { verify } });
    for (const enter of Object.values(ENTERING)) {
      const client = enter(gateway, '');
      expect(await client.entered).toBe('connected');
      await gateway.gateway.revoke({ iss: 'shop', sub: 'ada' });
      expect(await client.ended).toMatch(REVOKED);
    }
    expect(await ENTERING['pregon.v1']?.(gateway, '').entered).toBe('connected');
    await gateway.gateway.block({ iss: 'shop', sub: 'ada', until: Date.now() + 60_000 });
    expect(await ENTERING['pregon.v1']?.(gateway, '').ended).toBe('4506');
  });

  it.each(Object.entries(ENTERING))(
    'reaches a question to the application that is not answered yet, for %s',
    async (_, enter) => {
      const held: (() => void)[] = [];
      let isHeld = false;
      const found = { iss: 'shop', sub: 'ada' };
      const verify = () =>
        new Promise<typeof found>((resolve) => (isHeld ? held.push(() => resolve(found)) : resolve(found)));
      const gateway = await start({ auth: { verify } });
      const open = enter(gateway, '');
      expect(await open.entered).toBe('connected');
      isHeld = true;
      const asking = enter(gateway, '');
      await expect.poll(() => held.length).toBe(1);
      await gateway.gateway.revoke({ iss: 'shop', sub: 'ada' });
      expect(await open.ended).toMatch(REVOKED);
      for (const answer of held.splice(0)) answer();
      expect(await asking.entered).toBe('refused');
      isHeld = false;
      expect(await enter(gateway, '').entered).toBe('connected');
    },
  );

  it('is kept as long as the tokens of the gateway that reads it can be valid', async () => {
    const gateway = await start({ auth: { ...AUTH, maxTokenLifetimeMs: 7 * 86_400_000 } });
    const other = await startGateway({ logFile: gateway.logFile });
    await other.gateway.revoke({ iss: ISSUER, sub: 'ada' });
    const ends = async () => [...(await gateway.log.kept.all()).values()].map(({ expiresAt = 0 }) => expiresAt);
    await expect.poll(ends).toEqual([expect.toSatisfy((end: number) => end > Date.now() + 6.9 * 86_400_000)]);
  });

  it.each<[string, () => Record<string, unknown>, RegExp]>([
    ['no member but iss', () => ({ iss: 'shop' }), /exactly one of sub, jti and issuedBefore/],
    ['two members', () => ({ iss: 'shop', sub: '1', jti: '2' }), /exactly one of/],
    ['a mistyped member', () => ({ iss: 'shop', sub: '1', jit: '2' }), /no member "jit"/],
    ['an empty name', () => ({ iss: 'shop', sub: '' }), /sub must be a non-empty string/],
    ['half a character', () => ({ iss: 'shop', sub: '\ud800' }), /sub must be/],
    ['a time in the future', () => ({ iss: 'shop', issuedBefore: Date.now() + 60_000 }), /future/],
    ['an invalid date', () => ({ iss: 'shop', issuedBefore: new Date(Number.NaN) }), /issuedBefore must be a date/],
    ['names that are too long', () => ({ iss: 'shop', sub: 'x'.repeat(600) }), /the limit is 512/],
  ])('with %s is refused and records nothing', async (_, target, message) => {
    const gateway = await start();
    const given: unknown = target();
    await expect(Reflect.apply(gateway.gateway.revoke, gateway.gateway, [given])).rejects.toThrow(message);
    expect((await gateway.log.kept.all()).size).toBe(0);
  });

  it('[I-8] a value or an event that nobody can read is reported, and does not disturb others', async () => {
    const warnings: string[] = [];
    const logger = { info() {}, debug() {}, error() {}, warn: (_: object, text: string) => void warnings.push(text) };
    const gateway = await start({ logger });
    const enter = ENTERING['plain WebSocket'];
    const client = enter?.(gateway, await oldToken('ada'));
    expect(await client?.entered).toBe('connected');
    const values = ['', '{}', '[]', 'null', '{"kind":"all","iss":"shop","atMs":1}', '{"__proto__":1}'];
    for (const value of values) await gateway.log.kept.put(`revocation ${JSON.stringify(value)}`, value);
    const names = { specversion: '1.0', source: '/x', type: 'X', topic: 'x', exchange: '$pregon' } as const;
    await gateway.log.append([
      { ...names, id: '1' },
      { ...names, id: '2', data: { kind: 'subject', iss: 'shop', sub: ['ada'], atMs: 8e15 } },
      { ...names, id: '3', data: { kind: 'subject', iss: 'shop', sub: 'ada', atMs: 'x'.repeat(10_000) } },
    ]);
    await gateway.append(1);
    await expect.poll(() => client?.numbers).toEqual([1]);
    await expect.poll(() => warnings.filter((text) => text.includes('$pregon')).length).toBe(2);
    await expect.poll(() => warnings.filter((text) => text.includes('kept revocation')).length).toBe(6);
  });
});

describe('[H-06] The reserved exchange', () => {
  it('takes no event of an application', async () => {
    const gateway = await start();
    const event = { exchange: '$pregon', topic: 'revocation', type: 'IdentityWasRevoked', data: {} };
    await expect(gateway.gateway.publish(event)).rejects.toMatchObject({ code: 'EVENT_INVALID' });
  });

  it('cannot be named for a gateway or a route', async () => {
    const log = await openLog(`sqlite:${(await start()).logFile}`);
    onTestFinished(() => log.close());
    await expect(startGateway({ log, exchanges: ['$pregon'] })).rejects.toThrow(/reserved/);
    const routes = { events: { path: '/events', exchanges: ['$pregon'] } };
    await expect(startGateway({ log, routes })).rejects.toThrow(/reserved/);
  });
});
