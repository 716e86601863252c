import { describe, expect, it } from 'vitest';
import { ThisMachine } from '../../src/access/this-machine.js';
import { describeAdmission } from '../../src/testing.js';

const HOST = { host: 'localhost:1234' };

describeAdmission(
  { describe, it },
  {
    name: 'this machine',
    admission: () => new ThisMachine({ publicRoutes: new Set(['news']) }),
    admitted: [
      { request: {} },
      { request: { remoteAddress: '::1' } },
      { request: { remoteAddress: '::ffff:127.0.0.1' } },
      { request: { remoteAddress: '127.8.9.10', headers: { host: 'app.localhost' } } },
      { request: { headers: { host: '[::1]:1234' } } },
      { request: { headers: { host: 'LOCALHOST' } } },
      { request: { httpVersion: '2.0' } },
      { request: { remoteAddress: '192.0.2.7', entrance: { kind: 'route', name: 'news' } } },
      // A namespace is asked for later, and about it the admission decides again.
      { request: { remoteAddress: '192.0.2.7', entrance: { kind: 'socket.io', name: '/socket.io' } } },
    ],
    refused: [
      { request: { remoteAddress: '192.0.2.7', headers: { ...HOST, cookie: 'session=secret' } }, status: 401 },
      { request: { remoteAddress: '::ffff:192.0.2.7' }, status: 401 },
      { request: { remoteAddress: '::ffff:7f00:1.evil.example' }, status: 401 },
      { request: { remoteAddress: '2001:db8::1' }, status: 401 },
      { request: { remoteAddress: 'unknown' }, status: 401 },
      { request: { remoteAddress: '' }, status: 401 },
      { request: { remoteAddress: 'localhost' }, status: 401 },
      { request: { headers: {} }, status: 401 },
      { request: { headers: { host: '' } }, status: 401 },
      { request: { headers: { host: 'gateway.example' } }, status: 401 },
      { request: { headers: { host: 'localhost.evil.example' } }, status: 401 },
      { request: { headers: { host: '192.168.0.7:1234' } }, status: 401 },
      { request: { headers: { host: '0.0.0.0:1234' } }, status: 401 },
      { request: { headers: { host: 'localhost@evil.example' } }, status: 401 },
      { request: { headers: { ...HOST, forwarded: '' } }, status: 401 },
      { request: { headers: { ...HOST, via: '1.1 proxy' } }, status: 401 },
      { request: { headers: { ...HOST, 'x-real-ip': '127.0.0.1' } }, status: 401 },
      { request: { headers: { ...HOST, 'x-forwarded-for': '127.0.0.1' } }, status: 401 },
      { request: { headers: { ...HOST, 'x-forwarded-proto': 'https' } }, status: 401 },
      { request: { headers: { ...HOST, 'x-forwarded-anything': '' } }, status: 401 },
      { request: { httpVersion: '1.0' }, status: 401 },
      { request: { httpVersion: '0.9' }, status: 401 },
      { request: { httpVersion: '' }, status: 401 },
      { request: { remoteAddress: '192.0.2.7', entrance: { kind: 'route', name: 'events' } }, status: 401 },
      { request: { remoteAddress: '192.0.2.7', entrance: { kind: 'namespace', name: '/news' } }, status: 401 },
      { request: { remoteAddress: '192.0.2.7', entrance: { kind: 'component', name: 'news' } }, status: 401 },
      { request: { remoteAddress: '192.0.2.7', entrance: { kind: 'of tomorrow', name: 'news' } }, status: 401 },
    ],
  },
);

describe('[I-9] [H-01] The refusal of a client on another machine', () => {
  const admission = new ThisMachine({ publicRoutes: new Set() });
  const request = {
    entrance: { kind: 'route', name: 'events' },
    headers: HOST,
    httpVersion: '1.1',
    remoteAddress: '127.0.0.1',
  };
  const told = (more: Partial<typeof request> & { headers?: Record<string, string> }) =>
    admission.admit({ ...request, ...more });

  it('says what was seen, and what to configure', () => {
    const texts = [
      told({ remoteAddress: '172.17.0.1' }),
      told({ remoteAddress: 'unknown' }),
      told({ headers: { ...HOST, via: '1.1 proxy' } }),
      told({ httpVersion: '1.0' }),
      told({ headers: { host: 'gateway.example:1234' } }),
    ].map((refusal) => refusal?.message.split('; ')[1]);
    expect(texts).toEqual([
      'the client is 172.17.0.1',
      'the client is at an unknown address',
      'the client is 127.0.0.1, a proxy that sends via',
      'the client is 127.0.0.1, and uses HTTP/1.0 as proxies do',
      'the client is 127.0.0.1, and calls the gateway gateway.example:1234',
    ]);
    expect(told({ remoteAddress: '172.17.0.1' })?.message).toMatch(/^only this machine .* until auth or access is/);
  });

  it('fits into a close frame even with the longest address, and repeats little of what a client sends', () => {
    const longest = told({ remoteAddress: '2001:0db8:85a3:0000:0000:8a2e:0370:7334' });
    expect(longest?.close).toMatchObject({ code: 4505, reconnect: false });
    expect(Buffer.byteLength(longest?.message ?? '')).toBeLessThanOrEqual(123);
    expect(told({ headers: { host: 'x'.repeat(8_000) } })?.message.length).toBeLessThan(250);
    expect(told({ headers: { ...HOST, [`x-forwarded-${'x'.repeat(8_000)}`]: '' } })?.message.length).toBeLessThan(250);
  });
});

it('[H-01] Without a public route, a client of Socket.IO on another machine is refused before it has a session', () => {
  const admission = new ThisMachine({ publicRoutes: new Set() });
  const refusal = admission.admit({
    entrance: { kind: 'socket.io', name: '/socket.io' },
    headers: HOST,
    httpVersion: '1.1',
    remoteAddress: '192.0.2.7',
  });
  expect(refusal?.status).toBe(401);
});
