import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { planTokens } from '../../../src/access/tokens/issuer-plan.js';
import { TokenVerifier } from '../../../src/access/tokens/token-verifier.js';
import { FakeClock } from '../../core/support/fake-clock.js';
import { keptLines, SECRET } from './support/issuers.js';

const { logger } = keptLines();

/** Options as JavaScript can give them. */
function open(options: object): Promise<TokenVerifier> {
  const opened: unknown = Reflect.apply(TokenVerifier.open, TokenVerifier, [
    options,
    { clock: new FakeClock(), logger },
  ]);
  if (opened instanceof Promise) return opened;
  throw new Error('no promise');
}

const openIssuer = (issuer: object) => open({ issuers: [issuer] });

const JWKS = { issuer: 'shop', audience: 'pregon' };

describe('[I-9] The configuration of tokens is refused', () => {
  it.each([
    ['without issuers', {}],
    ['with an empty list of issuers', { issuers: [] }],
    ['with a leeway of more than a minute', { issuers: [{ issuer: 'a', secret: SECRET }], leewayMs: 60_001 }],
    ['with a leeway that is a text', { issuers: [{ issuer: 'a', secret: SECRET }], leewayMs: '5000' }],
    ['with a negative leeway', { issuers: [{ issuer: 'a', secret: SECRET }], leewayMs: -1 }],
    [
      'with a lifetime that is no number',
      { issuers: [{ issuer: 'a', secret: SECRET }], maxTokenLifetimeMs: Number.NaN },
    ],
    ['with a lifetime of nothing', { issuers: [{ issuer: 'a', secret: SECRET }], maxTokenLifetimeMs: 0 }],
  ])('%s', async (_, options) => {
    await expect(open(options)).rejects.toThrow(/^auth\./);
  });

  it('with two issuers of the same name', async () => {
    const issuers = [
      { issuer: 'shop', secret: SECRET },
      { issuer: 'bank', secret: SECRET },
      { issuer: 'shop', publicKey: 'x', algorithms: ['ES256'] },
    ];
    await expect(open({ issuers })).rejects.toThrow('auth.issuers[2]: "shop" is also auth.issuers[0]');
  });

  it.each([
    ['no name', { secret: SECRET }, 'issuer must be a text'],
    ['an empty name', { issuer: '', secret: SECRET }, 'issuer must be a text'],
    ['no key', { issuer: 'shop' }, 'exactly one of jwks, secret, secretFile, publicKey, publicKeyFile; it has none'],
    ['two keys', { issuer: 'shop', secret: SECRET, publicKey: 'x' }, 'it has secret, publicKey'],
    ['an unknown option', { issuer: 'shop', secret: SECRET, alg: 'HS256' }, 'unknown option "alg"'],
    ['a short secret', { issuer: 'shop', secret: 'x'.repeat(31) }, 'has 31 bytes, and HS256 needs at least 32'],
    ['short bytes', { issuer: 'shop', secret: new Uint8Array(31) }, 'has 31 bytes'],
    ['a short secret for HS512', { issuer: 'shop', secret: 'x'.repeat(63), algorithms: ['HS512'] }, 'at least 64'],
    ['a number as secret', { issuer: 'shop', secret: 7 }, 'secret must be a text or bytes'],
    ['a secret with ES256', { issuer: 'shop', secret: SECRET, algorithms: ['ES256'] }, 'cannot be used with secret'],
    ['a public key without algorithms', { issuer: 'shop', publicKey: 'x' }, 'algorithms is required with publicKey'],
    ['a public key with HS256', { issuer: 'shop', publicKey: 'x', algorithms: ['HS256'] }, 'cannot be used with'],
    [
      'a key set with HS256',
      { ...JWKS, jwks: 'https://a.example/', algorithms: ['HS256'] },
      'cannot be used with jwks',
    ],
    ['the algorithm none', { issuer: 'shop', secret: SECRET, algorithms: ['none'] }, '"none" is not supported'],
    ['no algorithm', { issuer: 'shop', secret: SECRET, algorithms: [] }, 'algorithms is required'],
    ['an empty audience', { issuer: 'shop', secret: SECRET, audience: '' }, 'audience must be a text'],
    ['a key set without audience', { issuer: 'shop', jwks: 'https://a.example/' }, 'audience is required with jwks'],
    ['a key set that is no URL', { ...JWKS, jwks: 'keys.json' }, 'jwks must be a URL'],
    ['a key set by http', { ...JWKS, jwks: 'http://login.example/jwks.json' }, 'must be https'],
    ['a key set in a file', { ...JWKS, jwks: 'file:///etc/passwd' }, 'must be https'],
    ['a key set with a password', { ...JWKS, jwks: 'https://a:hidden@a.example/' }, 'user name or password'],
    ['no files', { issuer: 'shop', secretFile: [] }, 'from 1 to 8 files'],
    ['nine files', { issuer: 'shop', secretFile: Array(9).fill('x') }, 'from 1 to 8 files'],
  ])('for an issuer with %s', async (_, issuer, message) => {
    const error: unknown = await openIssuer(issuer).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'TypeError', message: expect.stringContaining(message) });
    expect(`${error}`).toContain('auth.issuers[0]');
    expect(`${error}`).not.toMatch(/hidden|more than thirty-two|xxxx/);
  });

  it('for an RSA key of fewer than 2,048 bits', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1_024 });
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    await expect(openIssuer({ issuer: 'shop', publicKey: pem, algorithms: ['RS256'] })).rejects.toThrow(
      'the RSA key has 1024 bits',
    );
  });

  it('with something else than issuers', async () => {
    await expect(open({ issuers: [null] })).rejects.toThrow('auth.issuers[0] must be an object');
    await expect(open({ issuers: 'shop' })).rejects.toThrow('auth.issuers');
  });
});

describe('The configuration of tokens has defaults', () => {
  it('for lifetime, leeway and algorithms', () => {
    const plan = planTokens({
      issuers: [
        { issuer: 'a', secret: SECRET },
        { ...JWKS, jwks: 'http://[::1]:8080/jwks.json' },
      ],
    });
    expect(plan).toMatchObject({ maxTokenLifetimeMs: 86_400_000, leewayMs: 5_000 });
    expect(plan.issuers.map(({ algorithms }) => [...algorithms])).toEqual([['HS256'], ['RS256', 'ES256', 'EdDSA']]);
  });

  it.each(['http://localhost/', 'http://127.0.0.1:1/', 'http://auth.localhost/', 'https://login.example/'])(
    'and takes the key set %s',
    (jwks) => {
      expect(planTokens({ issuers: [{ ...JWKS, jwks }] }).issuers[0]?.keys).toEqual({ kind: 'jwks', url: jwks });
    },
  );
});
