import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, it } from 'vitest';
import { Origins } from '../../../src/access/origins.js';
import { TokenAdmission } from '../../../src/access/tokens/token-admission.js';
import { keysUnavailable, REFUSED, toRefusal } from '../../../src/access/tokens/token-refusal.js';
import { UrlTokens } from '../../../src/access/tokens/url-tokens.js';
import { isRefusal, parseDecision } from '../../../src/core/admission/decision.js';
import { describeAdmission } from '../../../src/testing.js';
import { claimsOf, NOW_S, SECRET, signHmac } from './support/issuers.js';
import { openVerifier } from './support/open-verifier.js';

const PAGE = 'https://shop.example';
const origins = new Origins([PAGE]);

const TOKEN = await signHmac(claimsOf());
const BAD = `${TOKEN.slice(0, -4)}AAAA`;

/** Decides about a request; a second time as well, when the token is remembered. */
async function decide(headers: IncomingHttpHeaders, url = '/events', cookie: string | undefined = 'session') {
  const { verifier } = await openVerifier({ issuer: 'shop', secret: SECRET });
  const admission = new TokenAdmission({ verifier, cookie, origins });
  const refusal = new UrlTokens().admit({ url });
  if (refusal) return refusal;
  const decision = parseDecision(await admission.admit({ headers, remoteAddress: '203.0.113.7' }));
  expect(parseDecision(await admission.admit({ headers, remoteAddress: '203.0.113.7' }))).toEqual(decision);
  return decision;
}

const ADA = { identity: { iss: 'shop', sub: 'ada' } };

describe('[I-9] [H-04] A token in Authorization', () => {
  it.each([`Bearer ${TOKEN}`, `bearer ${TOKEN}`, `BEARER   ${TOKEN}  `, `Bearer\t${TOKEN}`])(
    'admits its client',
    async (authorization) => {
      expect(await decide({ authorization })).toMatchObject(ADA);
    },
  );

  it.each(['Bearer', 'Bearer ', 'bearer\t', ' Bearer  '])('is refused if it is empty: %j', async (authorization) => {
    expect(await decide({ authorization })).toEqual(toRefusal(REFUSED.empty));
  });

  it('is refused with the challenge of RFC 6750 section 3', async () => {
    expect(await decide({ authorization: `Bearer ${BAD}` })).toMatchObject({
      status: 401,
      reason: 'invalid_token',
      headers: {
        'WWW-Authenticate': 'Bearer error="invalid_token", error_description="the signature of the token is wrong"',
      },
    });
  });

  it.each([
    `Bearer ${TOKEN}, Bearer ${TOKEN}`,
    `Bearer ${TOKEN},${TOKEN}`,
    `Bearer,${TOKEN}`,
    `Bearer ${TOKEN} ${TOKEN}`,
  ])('is refused beside another one', async (authorization) => {
    expect(await decide({ authorization })).toMatchObject({ status: 400 });
  });

  it('is refused if a server hands over several headers as a list', async () => {
    const headers: IncomingHttpHeaders = {};
    Reflect.set(headers, 'authorization', ['Basic YTpi', `Bearer ${TOKEN}`]);
    expect(await decide(headers)).toMatchObject({ status: 400 });
    Reflect.set(headers, 'authorization', [`Bearer ${TOKEN}`]);
    expect(await decide(headers)).toMatchObject(ADA);
  });

  it.each(['Bearer=x', 'Bearer:x', 'Bearer "x"', 'Bearer null', 'Bearer undefined'])(
    'is refused if it is %s',
    async (authorization) => {
      expect(await decide({ authorization })).toMatchObject({ status: 401 });
    },
  );

  it.each(['Basic YTpi', `Bearer-x ${TOKEN}`, `Bearers ${TOKEN}`, `DPoP ${TOKEN}`, TOKEN, '', ' '])(
    'is not meant by %s, whose client stays anonymous',
    async (authorization) => {
      expect(await decide({ authorization })).toBeUndefined();
    },
  );

  it('of another scheme leaves the decision to the cookie', async () => {
    const headers = { authorization: 'Basic YTpi', cookie: `session=${TOKEN}`, origin: PAGE };
    expect(await decide(headers)).toMatchObject(ADA);
  });

  it('decides before a cookie: a bad one never falls through', async () => {
    const headers = { cookie: `session=${TOKEN}`, origin: PAGE };
    expect(await decide({ ...headers, authorization: `Bearer ${BAD}` })).toMatchObject({ status: 401 });
    expect(await decide({ ...headers, authorization: 'Bearer' })).toMatchObject({ status: 401 });
    const expired = await signHmac(claimsOf({ iat: NOW_S - 60, exp: NOW_S - 30 }));
    expect(await decide({ ...headers, authorization: `Bearer ${expired}` })).toMatchObject({
      status: 401,
      message: 'the token has expired',
      headers: { 'WWW-Authenticate': 'Bearer error="invalid_token", error_description="the token has expired"' },
    });
    expect(await decide({ cookie: 'session=bad', authorization: `Bearer ${TOKEN}` })).toMatchObject(ADA);
  });

  it('takes a short time to be read, whatever the header', async () => {
    const since = performance.now();
    for (const text of [`Bearer a${' '.repeat(60_000)}b`, ' '.repeat(60_000), `Bearer ${'a,'.repeat(30_000)}`]) {
      await decide({ authorization: text, cookie: `session=${'";'.repeat(30_000)}` });
    }
    expect(performance.now() - since).toBeLessThan(500);
  });
});

describe('[I-9] [H-04] A token in a cookie', () => {
  const cookie = `a=1; session=${TOKEN}; b=2`;

  it('admits a page of an allowed origin', async () => {
    expect(await decide({ cookie, origin: PAGE })).toMatchObject(ADA);
    expect(await decide({ cookie: `session="${TOKEN}"`, origin: PAGE })).toMatchObject(ADA);
    expect(await decide({ cookie: `session=${TOKEN};session=${TOKEN}`, origin: PAGE })).toMatchObject(ADA);
  });

  it('admits a request without an origin only if the browser says same-origin', async () => {
    const host = 'shop.example';
    expect(await decide({ cookie, host, 'sec-fetch-site': 'same-origin' })).toMatchObject(ADA);
    for (const site of ['same-site', 'cross-site', 'none', '', 'Same-Origin', undefined]) {
      const more = site === undefined ? {} : { 'sec-fetch-site': site };
      expect(await decide({ cookie, host, ...more }), site).toEqual(toRefusal(REFUSED.origin));
    }
    // The name of a foreign site that points to the gateway.
    const rebound = { cookie, host: 'evil.example', 'sec-fetch-site': 'same-origin' };
    expect(await decide(rebound)).toEqual(toRefusal(REFUSED.origin));
  });

  it.each(['https://evil.example', 'https://shop.example.evil.example', 'https://SHOP.example', 'null', 'file://', ''])(
    'is refused from a page of %j',
    async (origin) => {
      const headers = { cookie, origin, 'sec-fetch-site': 'same-origin' };
      expect(await decide(headers)).toEqual(toRefusal(REFUSED.origin));
    },
  );

  it('is refused from a page without an origin, even if that origin is allowed', async () => {
    const { verifier } = await openVerifier({ issuer: 'shop', secret: SECRET });
    const all = new Origins(['null', 'file://', PAGE]);
    const admission = new TokenAdmission({ verifier, cookie: 'session', origins: all });
    for (const origin of ['null', 'file://']) {
      expect(await admission.admit({ headers: { cookie, origin }, remoteAddress: '203.0.113.7' })).toMatchObject({
        status: 403,
      });
    }
  });

  it('is refused beside another one of the same name, which another site may have set', async () => {
    expect(await decide({ cookie: `session=${TOKEN}; session=x`, origin: PAGE })).toMatchObject({ status: 400 });
    expect(await decide({ cookie: `session=; session=${TOKEN}`, origin: PAGE })).toMatchObject({ status: 400 });
  });

  it('is refused if it is bad', async () => {
    expect(await decide({ cookie: `session=${BAD}`, origin: PAGE })).toMatchObject({ status: 401 });
    expect(await decide({ cookie: 'session=x', origin: PAGE })).toMatchObject({ status: 401 });
  });

  it.each(['', 'session', 'session=', 'session=""', `Session=${TOKEN}`, `xsession=${TOKEN}`, `a=session=${TOKEN}`])(
    'is not there in %.30j, whose client stays anonymous',
    async (text) => {
      expect(await decide({ cookie: text, origin: PAGE })).toBeUndefined();
    },
  );

  it('is not looked at without the name of a cookie', async () => {
    const { verifier } = await openVerifier({ issuer: 'shop', secret: SECRET });
    const admission = new TokenAdmission({ verifier });
    expect(admission.admit({ headers: { cookie, origin: PAGE }, remoteAddress: '203.0.113.7' })).toBeUndefined();
  });

  it('needs a name, and origins', async () => {
    const { verifier } = await openVerifier({ issuer: 'shop', secret: SECRET });
    expect(() => new TokenAdmission({ verifier, cookie: 'session' })).toThrow('auth.cookie needs allowedOrigins');
    for (const name of ['', 'a=b', 'a;b', 'a b', '"a"']) {
      expect(() => new TokenAdmission({ verifier, cookie: name, origins })).toThrow('is not the name of a cookie');
    }
  });
});

describe('[I-9] [H-04] A token in a URL', () => {
  it.each([
    `?token=${TOKEN}`,
    `?access_token=${TOKEN}`,
    '?a=1&token=',
    '?token',
    '?TOKEN=x',
    '?Access_Token=x',
    '?%74oken=x',
    '?access%5Ftoken=x',
    '?a=%&token=x',
    '??token=x&token=x',
  ])('is refused, whatever else was sent: %.20s', async (query) => {
    for (const headers of [{}, { authorization: `Bearer ${TOKEN}` }, { cookie: `session=${TOKEN}`, origin: PAGE }]) {
      expect(await decide(headers, `/events${query}`)).toMatchObject({
        status: 400,
        message: expect.stringContaining('send it as Authorization: Bearer'),
      });
    }
  });

  it.each(['/token/access_token', '/events?topics=token.%23', '/events?tokens=1&mytoken=2', '/events?', '/events'])(
    'is not there in %s',
    async (url) => {
      expect(await decide({}, url)).toBeUndefined();
      expect(await decide({ authorization: `Bearer ${TOKEN}` }, url)).toMatchObject(ADA);
    },
  );
});

describe('[I-9] The refusal of a token', () => {
  it('has a text that RFC 6750 allows, and nothing of the token', async () => {
    for (const refused of Object.values(REFUSED)) {
      expect(refused.message).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
      expect(isRefusal(parseDecision(toRefusal(refused)) ?? {})).toBe(true);
    }
    const claims = claimsOf({ sub: 'confidential', aud: 'confidential' });
    const decision = await decide({ authorization: `Bearer ${await signHmac(claims)}` });
    expect(decision).toMatchObject({ status: 401 });
    expect(JSON.stringify(decision)).not.toContain('confidential');
  });

  it('says when to come again if keys are missing', () => {
    expect(toRefusal(keysUnavailable(20_001))).toMatchObject({ status: 503, headers: { 'Retry-After': '21' } });
    expect(toRefusal(keysUnavailable(-5))).toMatchObject({ headers: { 'Retry-After': '1' } });
  });
});

describeAdmission(
  { describe, it },
  {
    name: 'tokens',
    admission: async () => {
      const { verifier } = await openVerifier({ issuer: 'shop', secret: SECRET });
      return new TokenAdmission({ verifier, cookie: 'session', origins });
    },
    admitted: [
      { request: {} },
      { request: { headers: { authorization: `Bearer ${TOKEN}` } }, identity: { iss: 'shop', sub: 'ada' } },
      { request: { headers: { cookie: `session=${TOKEN}`, origin: PAGE } }, identity: { iss: 'shop', sub: 'ada' } },
    ],
    refused: [
      { request: { headers: { authorization: `Bearer ${BAD}` } }, status: 401 },
      { request: { headers: { cookie: `session=${TOKEN}`, origin: 'https://evil.example' } }, status: 403 },
    ],
  },
);

describeAdmission(
  { describe, it },
  {
    name: 'tokens in URLs',
    admission: () => new UrlTokens(),
    admitted: [{ request: {} }, { request: { url: '/events?topics=token.%23' } }],
    refused: [{ request: { url: `/events?token=${TOKEN}` }, status: 400 }],
  },
);
