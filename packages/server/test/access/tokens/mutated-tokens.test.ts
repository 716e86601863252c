import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { isLong } from '../../../../../test/support/long.js';
import { isTokenRefusal, REFUSED, type TokenRefusal } from '../../../src/access/tokens/token-refusal.js';
import type { TokenVerifier } from '../../../src/access/tokens/token-verifier.js';
import { base64url, claimsOf, SECRET, signHmac, type TestIssuer, testIssuer } from './support/issuers.js';
import { openVerifier } from './support/open-verifier.js';

const RUNS = isLong ? 200_000 : 5_000;

const ALGORITHMS = ['ES256', 'RS256', 'EdDSA'];
const issuers = new Map<string, TestIssuer>();
const tokens: string[] = [];

/** What an attacker may use as a secret: everything public. */
const publicTexts: string[] = ['', '\0', '{}', 'null', 'undefined', '/dev/null'];

beforeAll(async () => {
  for (const algorithm of ALGORITHMS) {
    const issuer = await testIssuer(algorithm);
    issuers.set(algorithm, issuer);
    tokens.push(await issuer.sign(claimsOf({ iss: algorithm })), await issuer.sign(claimsOf({ iss: algorithm, n: 1 })));
    publicTexts.push(issuer.publicPem, issuer.publicPem.trim(), JSON.stringify(issuer.publicJwk), issuer.kid);
  }
  tokens.push(
    await signHmac(claimsOf()),
    await signHmac(claimsOf({ n: 1 })),
    await signHmac(claimsOf(), { kid: 'a', typ: 'JWT' }),
  );
});

async function open(): Promise<TokenVerifier> {
  const { verifier } = await openVerifier([
    { issuer: 'shop', secret: SECRET },
    ...[...issuers.values()].map(({ algorithm, publicPem }) => ({
      issuer: algorithm,
      publicKey: publicPem,
      algorithms: [algorithm],
    })),
  ]);
  return verifier;
}

/** Changes a token. `at` and `pick` are any numbers; `other` is another valid token. */
type Mutation = (token: string, at: number, pick: number, other: string) => string;

const of = <T>(list: readonly T[], index: number): T => {
  const value = list[index % list.length];
  if (value === undefined) throw new RangeError('an empty list');
  return value;
};

const decoded = (part: string) => Buffer.from(part, 'base64url').toString();

/** Changes one of the three parts. */
function inPart(token: string, part: number, change: (text: string) => string): string {
  return token
    .split('.')
    .map((text, index) => (index === part % 3 ? change(text) : text))
    .join('.');
}

function insertAt(text: string, at: number, what: string): string {
  const index = at % (text.length + 1);
  return text.slice(0, index) + what + text.slice(index);
}

const BAD_ALGORITHMS = [
  'none',
  'None',
  'nOnE',
  'HS256',
  'HS512',
  'RS256',
  'ES256',
  'EdDSA',
  'Ed25519',
  'PS256',
  'dir',
  '',
  'RSA1_5',
];
const ODD_CHARACTERS = [
  '\u00ad',
  '\u200b',
  '\ufeff',
  '\ud800',
  '\0',
  '\uff21',
  '%41',
  '\\u0041',
  '\u0410',
  '\x7f',
  '\u2028',
];
const SPACES = [' ', '\n', '\r\n', '\t', '\v', '\u00a0'];
const MEMBERS = [
  '"alg":"none"',
  '"alg":"HS256"',
  '"sub":"root"',
  '"exp":99999999999',
  '"iss":"shop"',
  '"jwk":{"kty":"oct","k":""}',
  '"crit":["exp"]',
  '"b64":false',
  '"\\u0061lg":"none"',
];

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'a bit of the text': (token, at, pick) => {
    const index = at % token.length;
    const flipped = String.fromCharCode(token.charCodeAt(index) ^ (1 << (pick % 8)));
    return token.slice(0, index) + flipped + token.slice(index + 1);
  },
  'a bit of the bytes': (token, at, pick) =>
    inPart(token, pick, (text) => {
      const bytes = Buffer.from(text, 'base64url');
      const index = at % bytes.length;
      bytes[index] = (bytes[index] ?? 0) ^ (1 << ((pick >> 2) % 8));
      return bytes.toString('base64url');
    }),
  'another algorithm': (token, at) =>
    inPart(token, 0, (text) => base64url({ ...JSON.parse(decoded(text)), alg: of(BAD_ALGORITHMS, at) })),
  'no signature': (token, at, pick) => {
    const alg = of(BAD_ALGORITHMS, at);
    const [, payload] = token.split('.');
    return `${base64url({ alg, typ: 'JWT' })}.${payload}.${of(['', 'AA', 'AAAA', '='], pick)}`;
  },
  'a public text as secret': (token, at, pick) => {
    const [header = '', payload = ''] = token.split('.');
    const hmac = of(['sha256', 'sha384', 'sha512'], pick);
    const alg = `HS${hmac.slice(3)}`;
    const signed = `${base64url({ ...JSON.parse(decoded(header)), alg })}.${payload}`;
    return `${signed}.${createHmac(hmac, of(publicTexts, at)).update(signed).digest('base64url')}`;
  },
  'a part of another token': (token, at, _, other) => inPart(token, at, () => other.split('.')[at % 3] ?? ''),
  'a member that is there twice': (token, at, pick) =>
    inPart(token, at % 2, (text) => {
      const json = decoded(text);
      const member = of(MEMBERS, pick);
      return base64url(at % 4 < 2 ? `{${member},${json.slice(1)}` : `${json.slice(0, -1)},${member}}`);
    }),
  'other claims': (token, at, pick) =>
    inPart(token, 1, (text) => {
      const more = of(
        [{ sub: 'root' }, { admin: true }, { exp: 9e9 }, { iss: 'shop' }, { iss: 'RS256' }, { aud: 'x' }],
        pick,
      );
      return base64url(
        at % 2 === 0 ? { ...JSON.parse(decoded(text)), ...more } : { ...more, ...JSON.parse(decoded(text)) },
      );
    }),
  'an odd character': (token, at, pick) => insertAt(token, at, of(ODD_CHARACTERS, pick)),
  'an odd character in JSON': (token, at, pick) =>
    inPart(token, at % 2, (text) => base64url(insertAt(decoded(text), at >> 1, of(ODD_CHARACTERS, pick)))),
  'white space': (token, at, pick) => insertAt(token, at, of(SPACES, pick)),
  'white space around it': (token, at, pick) => of([`${of(SPACES, pick)}${token}`, `${token}${of(SPACES, pick)}`], at),
  'white space in JSON': (token, at, pick) =>
    inPart(token, at % 2, (text) =>
      base64url(decoded(text).replace(of(['{', ',', ':', '}'], pick), (one) => ` ${one} `)),
    ),
  'another base64': (token, at, pick) =>
    inPart(token, at, (text) =>
      of(
        [
          `${text}=`,
          `${text}==`,
          text.replaceAll('-', '+').replaceAll('_', '/'),
          Buffer.from(text, 'base64url').toString('base64'),
          Buffer.from(text, 'base64url').toString('hex'),
          encodeURIComponent(`${text}.`),
        ],
        pick,
      ),
    ),
  'unused bits at the end': (token, at, pick) =>
    inPart(token, at, (text) => {
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
      const last = alphabet.indexOf(text.slice(-1));
      return text.slice(0, -1) + of([...alphabet], last ^ (1 + (pick % 15)));
    }),
  'parts added, moved or left out': (token, at, _, other) => {
    const [a = '', b = '', c = ''] = token.split('.');
    return of(
      [
        ...[`${a}.${b}`, `${a}..${c}`, `.${b}.${c}`, `${a}.${b}.`, `${a}.${b}.${c}.`, `.${token}`, `${b}.${a}.${c}`],
        ...[
          `${token}.${c}`,
          `${a}.${a}.${c}`,
          `${token}${c}`,
          `${a}${token}`,
          `${token},${other}`,
          `${token} ${other}`,
        ],
        `Bearer ${token}`,
      ],
      at,
    );
  },
  'an encrypted token around it': (token, at) =>
    of(
      [
        `${base64url({ alg: 'dir', enc: 'A256GCM', cty: 'JWT' })}..${base64url('iv')}.${base64url(token)}.${base64url('tag')}`,
        `${base64url({ alg: 'RSA-OAEP', enc: 'A128GCM' })}.${base64url('key')}.${base64url('iv')}.${base64url(token)}.AA`,
      ],
      at,
    ),
  'a token within a token': (token, at) => {
    const [header = '', , signature] = token.split('.');
    const head = at % 2 === 0 ? base64url({ ...JSON.parse(decoded(header)), cty: 'JWT' }) : header;
    return `${head}.${base64url(token)}.${signature}`;
  },
  'the JSON form': (token, at) => {
    const [header, payload, signature] = token.split('.');
    const flattened = { protected: header, payload, signature };
    const general = { payload, signatures: [{ protected: header, signature }] };
    return of([JSON.stringify(flattened), JSON.stringify(general), base64url(flattened)], at);
  },
  'a signature of nothing but zeros or ones': (token, at, pick) =>
    inPart(token, 2, (text) =>
      Buffer.alloc(of([0, 1, 32, 64, 96, text.length], at), pick % 2 ? 255 : 0).toString('base64url'),
    ),
  'a signature in DER form': (token) =>
    inPart(token, 2, (text) => {
      const raw = Buffer.from(text, 'base64url');
      const half = raw.length / 2;
      const number = (bytes: Buffer) => Buffer.concat([Buffer.from([2, bytes.length + 1, 0]), bytes]);
      const body = Buffer.concat([number(raw.subarray(0, half)), number(raw.subarray(half))]);
      return Buffer.concat([Buffer.from([0x30, body.length % 256]), body]).toString('base64url');
    }),
  'another key name': (token, at) =>
    inPart(token, 0, (text) => {
      const kid = of(['../../dev/null', '__proto__', "' OR 1=1 --", 'https://evil.example/', '', 'RS256-1', '\0'], at);
      return base64url({ ...JSON.parse(decoded(text)), kid });
    }),
  'a cut': (token, at, pick) => of([token.slice(0, at % token.length), token.slice(1 + (at % token.length))], pick),
  'a repetition': (token, at, pick) =>
    insertAt(token, at, token.slice(pick % token.length, (pick % token.length) + 1 + (at % 7))),
  'other cases': (token, at) => of([token.toLowerCase(), token.toUpperCase(), [...token].reverse().join('')], at),
};

const number = fc.nat({ max: 0xffffff });
const mutations = fc.array(fc.record({ name: fc.constantFrom(...Object.keys(MUTATIONS)), at: number, pick: number }), {
  minLength: 1,
  maxLength: 2,
});

/** A mutation of what is no token any longer may find nothing to change. */
function mutated(token: string, steps: readonly { name: string; at: number; pick: number }[], other: string): string {
  let text = token;
  for (const { name, at, pick } of steps) {
    try {
      text = MUTATIONS[name]?.(text, at, pick, other) ?? text;
    } catch {
      // As it is.
    }
  }
  return text;
}

describe('[I-9] [H-02] Of tokens that were changed after they were signed', () => {
  it('the originals are valid', async () => {
    const verifier = await open();
    for (const token of tokens) expect(await verifier.verify(token)).toMatchObject({ sub: 'ada' });
  });

  it.each(Object.keys(MUTATIONS))('%s changes each token', (name) => {
    const changed = tokens.map((token, n) => mutated(token, [{ name, at: 5, pick: 1 }], of(tokens, n + 1)) !== token);
    expect(changed).toContain(true);
  });

  it('none is accepted, and none is remembered', async () => {
    const verifier = await open();
    const seen = { tried: 0, errors: new Map<string, number>() };
    await fc.assert(
      fc.asyncProperty(number, number, mutations, async (which, others, steps) => {
        const token = mutated(of(tokens, which), steps, of(tokens, others));
        if (tokens.includes(token)) return;
        const result = await verifier.verify(token);
        expect(isTokenRefusal(result), JSON.stringify({ token, steps })).toBe(true);
        seen.tried += 1;
        if (isTokenRefusal(result)) seen.errors.set(result.message, (seen.errors.get(result.message) ?? 0) + 1);
      }),
      { numRuns: RUNS },
    );
    expect(verifier.remembered).toBe(0);
    expect(seen.tried).toBeGreaterThan(RUNS * 0.9);
    // Most are no tokens any longer. Enough of them must reach the checks behind that one.
    const refused = ({ message }: TokenRefusal) => seen.errors.get(message) ?? 0;
    expect(refused(REFUSED.signature)).toBeGreaterThan(RUNS / 20);
    expect(refused(REFUSED.algorithm)).toBeGreaterThan(RUNS / 50);
    expect(refused(REFUSED.header)).toBeGreaterThan(0);
  });
});
