import { describe, expect, it } from 'vitest';
import { readHookAnswer } from '../../../src/access/hook/hook-answer.js';
import { planHook } from '../../../src/access/hook/hook-options.js';

const NOW = Date.UTC(2030, 0, 1);
const DAY = 86_400_000;

function read(body: unknown, status = 200) {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return readHookAnswer({ status, bytes }, NOW, DAY);
}

describe('[I-9] [H-04] The answer of the application', () => {
  it('is an identity, which lasts a day at most', () => {
    expect(read({ sub: '42' })).toEqual({ iss: 'hook', sub: '42', issuedAtMs: NOW, expiresAtMs: NOW + DAY });
    expect(read({ sub: '42', iss: 'shop', claims: { role: 'admin' }, jti: 's-1', expiresInMs: 1_000 })).toEqual({
      iss: 'shop',
      sub: '42',
      claims: { role: 'admin' },
      jti: 's-1',
      issuedAtMs: NOW,
      expiresAtMs: NOW + 1_000,
    });
    expect(read({ sub: '42', expiresInMs: 1e300 })).toMatchObject({ expiresAtMs: NOW + DAY });
  });

  it('is anonymous with 204, and a refusal with 401 or 403', () => {
    expect(read('', 204)).toBeUndefined();
    expect(read('', 401)).toMatchObject({ status: 401, headers: { 'WWW-Authenticate': 'Bearer' } });
    expect(read('', 403)).toMatchObject({ status: 403 });
  });

  it.each([0, 100, 201, 202, 206, 301, 302, 304, 307, 400, 404, 407, 418, 429, 500, 502, 503])(
    'is no decision with the status %i',
    (status) => {
      expect(() => read({ sub: '42' }, status)).toThrow(String(status));
    },
  );

  it.each([
    '',
    'ok',
    'null',
    'true',
    '42',
    '"42"',
    '[]',
    '[{"sub":"42"}]',
    '{}',
    '{"sub":""}',
    '{"sub":42}',
    '{"sub":null}',
    '{"sub":["42"]}',
    '{"sub":"\\ud800"}',
    '{"sub":"42","sub":"43"}',
    '{"sub":"42","iss":""}',
    '{"sub":"42","iss":"\\udfff"}',
    '{"sub":"42","iss":null}',
    '{"sub":"42","claims":[]}',
    '{"sub":"42","claims":null}',
    '{"sub":"42","jti":""}',
    '{"sub":"42","expiresInMs":0}',
    '{"sub":"42","expiresInMs":-1}',
    '{"sub":"42","expiresInMs":"60000"}',
    '{"sub":"42","expiresInMs":null}',
    '{"sub":"42","expiresIn":60000}',
    '{"sub":"42","expiresAtMs":1}',
    '{"sub":"42","__proto__":{"iss":"shop"}}',
    `{"sub":"42","claims":${'['.repeat(65)}${']'.repeat(65)}}`,
    '<!doctype html><title>Sign in</title>',
  ])('is no identity as %.60s', (body) => {
    expect(() => read(body)).toThrow(Error);
  });

  it('is no identity if it is not UTF-8', () => {
    const bytes = Buffer.from('{"sub":"\xff"}', 'latin1');
    expect(() => readHookAnswer({ status: 200, bytes }, NOW, DAY)).toThrow(Error);
  });
});

describe('[H-04] The options of a hook', () => {
  it('name a URL, and headers beside those that are always forwarded', () => {
    expect(planHook({ hook: 'http://127.0.0.1:5001/access?key=secret', forward: ['X-Tenant', 'cookie'] })).toEqual({
      url: 'http://127.0.0.1:5001/access?key=secret',
      shownUrl: 'http://127.0.0.1:5001/access',
      forwarded: ['cookie', 'authorization', 'origin', 'user-agent', 'accept-language', 'x-tenant'],
      isExposed: false,
    });
  });

  it.each<[Parameters<typeof planHook>[0], string]>([
    [{ hook: '/access' }, 'auth.hook must be a URL'],
    [{ hook: 'ftp://shop.example/' }, 'http or https'],
    [{ hook: 'file:///etc/passwd' }, 'http or https'],
    [{ hook: 'https://user:password@shop.example/' }, 'must not contain a user name'],
    [{ hook: 'https://shop.example/', forward: ['x y'] }, 'auth.forward: "x y"'],
    [{ hook: 'https://shop.example/', forward: [''] }, 'auth.forward: ""'],
    [{ hook: 'https://shop.example/', forward: ['Host'] }, 'cannot be forwarded'],
    [{ hook: 'https://shop.example/', forward: ['Pregon-Client-Address'] }, 'cannot be forwarded'],
    [{ hook: 'https://shop.example/', forward: ['transfer-encoding'] }, 'cannot be forwarded'],
  ])('are refused if they are %j', (options, message) => {
    expect(() => planHook(options)).toThrow(message);
    expect(() => planHook(options)).toThrow(TypeError);
  });

  it.each([
    ['https://shop.example/', false],
    ['http://localhost/', false],
    ['http://127.0.0.1/', false],
    ['http://[::1]/', false],
    ['http://10.1.2.3/', false],
    ['http://172.31.255.255/', false],
    ['http://192.168.0.1/', false],
    ['http://[fd00::1]/', false],
    ['http://app:5001/', false],
    ['http://app.internal/', false],
    ['http://172.32.0.1/', true],
    ['http://shop.example/', true],
    ['http://93.184.216.34/', true],
    ['http://[2001:db8::1]/', true],
    ['http://localhost.example/', true],
  ])('with %s send cookies over foreign networks: %s', (hook, isExposed) => {
    expect(planHook({ hook }).isExposed).toBe(isExposed);
  });
});
