import { EventEmitter } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AccessLimits } from '../../../src/access/limits/access-limits.js';
import type { ClientLimitOptions } from '../../../src/access/limits/client-limit-options.js';
import type { Carrier } from '../../../src/core/admission/clients.js';
import type { Rights } from '../../../src/core/ports/rights.js';
import { FakeClock } from '../../core/support/fake-clock.js';

const LIMITS: Required<ClientLimitOptions> = {
  maxConnectionsPerAddress: 3,
  maxHandshakesPerSecond: 2,
  handshakeBurst: 4,
  maxFailedAuthenticationsPerMinute: 3,
  maxPendingPerAddress: 2,
  maxPending: 10,
  maxConnectionsPerIdentity: 2,
};

const NONE: Required<ClientLimitOptions> = {
  ...LIMITS,
  maxConnectionsPerAddress: 0,
  maxHandshakesPerSecond: 0,
  maxFailedAuthenticationsPerMinute: 0,
  maxPendingPerAddress: 0,
  maxConnectionsPerIdentity: 0,
};

const ADA = { identity: { iss: 'shop', sub: 'ada' } };
const RIGHTS: Rights = { subscribe: [], send: 'any', broadcast: false, publish: [], isService: true, key: '' };

class Socket extends EventEmitter implements Carrier {
  closed = false;

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.emit('close');
  }
}

function start(limits: Partial<ClientLimitOptions> = {}) {
  const clock = new FakeClock();
  const { clients, failures } = new AccessLimits({ ...LIMITS, ...limits }, {}, clock);
  const arrive = (address = '203.0.113.7') => {
    const request = { httpVersion: '1.1', headers: {}, socket: { remoteAddress: address } };
    const socket = new Socket();
    clients.keep(request, socket);
    return { request, socket, refusal: clients.arrived(request) };
  };
  return { clock, clients, failures, arrive };
}

describe('[H-08] the connections of an address', () => {
  it('are limited, and count until they close', () => {
    const { arrive, clients } = start();
    const open = [arrive(), arrive(), arrive()];
    expect(open.map(({ refusal }) => refusal)).toEqual([undefined, undefined, undefined]);
    expect(arrive().refusal).toMatchObject({ status: 429, reason: 'address connections', close: { code: 4006 } });
    expect(arrive('203.0.113.8').refusal).toBeUndefined();
    open[0]?.socket.close();
    expect(arrive().refusal).toBeUndefined();
    expect(clients.counted.addresses).toBe(2);
  });

  it('do not include refused ones, even while their refusal is written', () => {
    const { arrive } = start();
    const open = [arrive(), arrive(), arrive()];
    arrive();
    open[0]?.socket.close();
    expect(arrive().refusal).toBeUndefined();
  });

  it('count for a network of IPv6', () => {
    const { arrive } = start();
    for (const end of [1, 2, 3]) arrive(`2001:db8::${end}`);
    expect(arrive('2001:db8::4').refusal).toMatchObject({ status: 429 });
    expect(arrive('2001:db8:0:1::4').refusal).toBeUndefined();
  });

  it('do not count for exempt addresses', () => {
    const { arrive, clients } = start();
    for (let n = 0; n < 20; n++) expect(arrive('127.0.0.1').refusal).toBeUndefined();
    expect(clients.counted.addresses).toBe(0);
  });

  it('count a client with several carriers once, until the last one has closed', () => {
    const { arrive, clients } = start({ maxConnectionsPerAddress: 1 });
    const { request, socket } = arrive();
    const session = new Socket();
    clients.keep(request, session);
    socket.close();
    expect(arrive().refusal).toBeDefined();
    session.close();
    expect(clients.counted.addresses).toBe(0);
    expect(arrive().refusal).toBeUndefined();
  });

  it('count a session again whose first request has ended before it began', () => {
    const { arrive, clients } = start({ maxConnectionsPerAddress: 1 });
    const { request, socket } = arrive();
    socket.close();
    const session = new Socket();
    clients.keep(request, session);
    expect(arrive().refusal).toBeDefined();
    session.close();
    expect(arrive().refusal).toBeUndefined();
  });

  it('do not count a client that has left before', () => {
    const { clients } = start();
    const socket = new Socket();
    socket.close();
    clients.keep({ httpVersion: '1.1', headers: {}, socket: { remoteAddress: '203.0.113.7' } }, socket);
    expect(clients.counted.addresses).toBe(0);
  });
});

describe('[H-08] the handshakes of an address', () => {
  it('are limited to a rate, after a burst', () => {
    const { arrive, clock } = start({ maxConnectionsPerAddress: 0 });
    for (let n = 0; n < 4; n++) expect(arrive().refusal).toBeUndefined();
    const { refusal } = arrive();
    expect(refusal).toMatchObject({ status: 429, reason: 'address handshakes', headers: { 'Retry-After': '1' } });
    expect(arrive('203.0.113.8').refusal).toBeUndefined();
    clock.advance(500);
    expect(arrive().refusal).toBeUndefined();
    expect(arrive().refusal).toBeDefined();
  });

  it('are remembered after the connections have closed', () => {
    const { arrive } = start();
    for (let n = 0; n < 4; n++) arrive().socket.close();
    expect(arrive().refusal).toMatchObject({ reason: 'address handshakes' });
  });

  it('count a request once, also if it is decided about again, as for each namespace of a session', () => {
    const { arrive, clients } = start();
    const { request } = arrive();
    for (let n = 0; n < 9; n++) expect(clients.arrived(request)).toBeUndefined();
  });

  it('of 100,000 addresses take limited memory, and refuse no other address', () => {
    const { arrive } = start();
    for (let n = 0; n < 100_000; n++) {
      const { socket, refusal } = arrive(`198.${n >> 16}.${(n >> 8) & 255}.${n & 255}`);
      if (refusal) expect.unreachable('a new address was refused');
      socket.close();
    }
    expect(arrive().refusal).toBeUndefined();
  });
});

describe('[H-08] the connections of an identity', () => {
  it('are limited, at all addresses, also at exempt ones', () => {
    const { arrive, clients } = start();
    const [first, second, third] = [arrive('127.0.0.1'), arrive('203.0.113.7'), arrive('203.0.113.8')];
    expect(clients.identified(first.request, ADA)).toBeUndefined();
    expect(clients.identified(second.request, ADA)).toBeUndefined();
    expect(clients.identified(third.request, ADA)).toMatchObject({ status: 429, reason: 'identity connections' });
    expect(clients.identified(third.request, { identity: { iss: 'other', sub: 'ada' } })).toBeUndefined();
    first.socket.close();
    expect(clients.identified(arrive('127.0.0.1').request, ADA)).toBeUndefined();
  });

  it('count a client once, however many namespaces it enters', () => {
    const { arrive, clients } = start();
    const { request, socket } = arrive();
    for (let n = 0; n < 9; n++) expect(clients.identified(request, ADA)).toBeUndefined();
    socket.close();
    expect(clients.counted).toEqual({ addresses: 0, identities: 0 });
  });

  it('end when a client signs out, and do not end twice when it leaves', () => {
    const { arrive, clients } = start({ maxConnectionsPerIdentity: 1 });
    const [first, second, third] = [arrive(), arrive(), arrive()];
    expect(clients.signOut(first.request)).toBeUndefined();
    expect(clients.identified(first.request, ADA)).toBeUndefined();
    const signOut = clients.signOut(first.request);
    expect(clients.identified(second.request, ADA)).toBeDefined();
    signOut?.();
    expect(clients.identified(second.request, ADA)).toBeUndefined();
    signOut?.();
    first.socket.close();
    expect(clients.identified(third.request, ADA)).toBeDefined();
    for (const { socket } of [second, third]) socket.close();
    expect(clients.counted).toEqual({ addresses: 0, identities: 0 });
  });

  it('are not limited for a service, and not without an identity', () => {
    const { arrive, clients } = start();
    for (let n = 0; n < 9; n++) {
      const { request } = arrive('127.0.0.1');
      expect(clients.identified(request, { ...ADA, rights: RIGHTS })).toBeUndefined();
      expect(clients.identified(request, {})).toBeUndefined();
    }
    expect(clients.counted.identities).toBe(0);
  });

  it('are not mixed up, whatever the names contain', () => {
    const { arrive, clients } = start({ maxConnectionsPerIdentity: 1 });
    const names = [
      ['a', 'b"c'],
      ['a"b', 'c'],
      ['a","b', 'c'],
      ['a', 'b","c'],
      ['', 'abc'],
    ] as const;
    for (const [iss, sub] of names) {
      expect(clients.identified(arrive('127.0.0.1').request, { identity: { iss, sub } })).toBeUndefined();
    }
  });
});

describe('[H-08] clients of an address that wait for a decision', () => {
  it('are limited', () => {
    const { arrive, clients } = start();
    const [first, second, third] = [arrive(), arrive(), arrive()];
    expect(clients.waits(first.request)).toBeUndefined();
    expect(clients.waits(second.request)).toBeUndefined();
    expect(clients.waits(third.request)).toMatchObject({ status: 429, reason: 'address pending' });
    clients.waited(first.request);
    expect(clients.waits(third.request)).toBeUndefined();
  });
});

describe('[H-08] refused tokens of an address', () => {
  it('are limited, and the limit ends', () => {
    const { failures, clock } = start();
    for (let n = 0; n < 3; n++) {
      expect(failures.refusal('203.0.113.7')).toBeUndefined();
      failures.failed('203.0.113.7');
    }
    expect(failures.refusal('203.0.113.7')).toMatchObject({ status: 429, headers: { 'Retry-After': '20' } });
    expect(failures.refusal('203.0.113.8')).toBeUndefined();
    clock.advance(20_000);
    expect(failures.refusal('203.0.113.7')).toBeUndefined();
  });

  it('cause no debt if many were verified at the same time', () => {
    const { failures, clock } = start();
    for (let n = 0; n < 1_000; n++) failures.failed('203.0.113.7');
    clock.advance(20_000);
    expect(failures.refusal('203.0.113.7')).toBeUndefined();
  });

  it('leave a few tries a second to others at the address', () => {
    const { failures, clock } = start();
    const tries = () => [1, 2, 3, 4].map(() => failures.takeTry('203.0.113.7'));
    expect(tries()).toEqual([true, true, true, false]);
    expect(failures.takeTry('203.0.113.8')).toBe(true);
    clock.advance(334);
    expect(failures.takeTry('203.0.113.7')).toBe(true);
    clock.advance(60_000);
    expect(tries()).toEqual([true, true, true, false]);
  });

  it('do not count for exempt addresses', () => {
    const { failures } = start();
    for (let n = 0; n < 9; n++) failures.failed('127.0.0.1');
    expect(failures.refusal('127.0.0.1')).toBeUndefined();
  });
});

describe('[H-08] limits', () => {
  it('of 0 are no limits', () => {
    const { arrive, clients, failures } = start(NONE);
    for (let n = 0; n < 50; n++) {
      const { request, refusal } = arrive();
      expect(refusal).toBeUndefined();
      expect(clients.identified(request, ADA)).toBeUndefined();
      expect(clients.waits(request)).toBeUndefined();
      failures.failed('203.0.113.7');
      expect(failures.refusal('203.0.113.7')).toBeUndefined();
    }
  });

  it('leave no count behind, in whatever order clients arrive, wait, sign in and leave', () => {
    const step = fc.record({
      client: fc.nat(5),
      action: fc.constantFrom('arrive', 'session', 'wait', 'identify', 'close first', 'close all'),
      identity: fc.constantFrom('ada', 'grace'),
      address: fc.constantFrom('203.0.113.7', '203.0.113.8', '127.0.0.1'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { clients, arrive, clock } = start({ maxHandshakesPerSecond: 0 });
        const open = new Map<
          number,
          { request: ReturnType<typeof arrive>['request']; sockets: Socket[]; waits: number }
        >();
        for (const { client, action, identity, address } of steps) {
          if (!open.has(client)) {
            const { request, socket } = arrive(address);
            open.set(client, { request, sockets: [socket], waits: 0 });
          }
          const known = open.get(client);
          if (!known) continue;
          if (action === 'session') {
            const session = new Socket();
            known.sockets.push(session);
            clients.keep(known.request, session);
          }
          if (action === 'wait' && !clients.waits(known.request)) known.waits += 1;
          if (action === 'identify') clients.identified(known.request, { identity: { iss: 'shop', sub: identity } });
          if (action === 'close first') known.sockets[0]?.close();
          if (action === 'close all') {
            for (const socket of known.sockets) socket.close();
            for (; known.waits > 0; known.waits--) clients.waited(known.request);
            open.delete(client);
          }
        }
        for (const { request, sockets, waits } of open.values()) {
          for (const socket of sockets) socket.close();
          for (let n = 0; n < waits; n++) clients.waited(request);
        }
        clock.advance(60_000);
        expect(clients.counted).toEqual({ addresses: 0, identities: 0 });
      }),
      { numRuns: 1_000 },
    );
  });
});
