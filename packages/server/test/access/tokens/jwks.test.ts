import { gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { isTokenRefusal, REFUSED } from '../../../src/access/tokens/token-refusal.js';
import type { FakeClock } from '../../core/support/fake-clock.js';
import { claimsOf, NOW_S, SECRET, testIssuer } from './support/issuers.js';
import { answerJson, answerWith, jwksServer, send } from './support/jwks-server.js';
import { openVerifier } from './support/open-verifier.js';

const [FIRST, SECOND] = [await testIssuer('ES256', 'first'), await testIssuer('ES256', 'second')];

const signedBy = (issuer: typeof FIRST, kid = issuer.kid) => issuer.sign(claimsOf({ aud: 'pregon' }), { kid });

async function open(url: string, options: object = {}) {
  return openVerifier({ issuer: 'shop', audience: 'pregon', jwks: url, ...options });
}

/** Lets seconds pass, at most as many as the longest pause between two fetches has. */
async function secondsUntil(clock: FakeClock, isTrue: () => Promise<boolean>): Promise<void> {
  for (let seconds = 0; seconds <= 30; seconds++) {
    if (await isTrue()) return;
    clock.advance(1_000);
  }
  throw new Error('it did not come true within 30 seconds');
}

/** Waits until the first fetch has ended. */
async function opened(served: Awaited<ReturnType<typeof jwksServer>>) {
  const all = await open(served.url);
  await all.verifier.verify(await signedBy(FIRST));
  return all;
}

describe('[I-9] [H-02] A key set', () => {
  it('is fetched once for 100 clients that wait for it', async () => {
    const served = await jwksServer(FIRST);
    const { verifier } = await open(served.url);
    const tokens = await Promise.all(
      Array.from({ length: 100 }, (_, n) => FIRST.sign(claimsOf({ aud: 'pregon', sub: `${n}` }))),
    );
    const results = await Promise.all(tokens.map((token) => verifier.verify(token)));
    expect(results.filter(isTokenRefusal)).toEqual([]);
    expect(served.requests).toBe(1);
  });

  it.each(['RS256', 'EdDSA'])('may have keys for %s', async (algorithm) => {
    const issuer = await testIssuer(algorithm);
    const served = await jwksServer(FIRST, issuer);
    const { verifier } = await open(served.url);
    expect(await verifier.verify(await issuer.sign(claimsOf({ aud: 'pregon' })))).toMatchObject({ sub: 'ada' });
  });

  it('is fetched again for a key that it does not have, after 30 seconds, once', async () => {
    const served = await jwksServer(FIRST);
    const { verifier, clock } = await opened(served);
    served.answer = answerWith(FIRST, SECOND);
    clock.advance(10_000);
    expect(await verifier.verify(await signedBy(SECOND))).toMatchObject({ status: 503, retryAfterMs: 20_000 });
    expect(served.requests).toBe(1);
    clock.advance(20_000);
    const token = await signedBy(SECOND);
    const results = await Promise.all(Array.from({ length: 100 }, () => verifier.verify(token)));
    expect(results.filter(isTokenRefusal)).toEqual([]);
    expect(served.requests).toBe(2);
  });

  it('refuses a key that it still does not have, and is not fetched for the next 30 seconds', async () => {
    const served = await jwksServer(FIRST);
    const { verifier, clock } = await opened(served);
    clock.advance(30_000);
    expect(await verifier.verify(await signedBy(SECOND))).toBe(REFUSED.key);
    for (let n = 0; n < 50; n++) {
      expect(await verifier.verify(await signedBy(SECOND, `kid ${n}`))).toMatchObject({ error: 'keys_unavailable' });
    }
    expect(served.requests).toBe(2);
    expect(await verifier.verify(await signedBy(FIRST))).toMatchObject({ sub: 'ada' });
  });

  it('no longer accepts a key that the issuer has removed, also for a remembered token', async () => {
    const served = await jwksServer(FIRST, SECOND);
    const { verifier, clock } = await opened(served);
    const token = await signedBy(FIRST);
    const other = await signedBy(SECOND);
    const identity = await verifier.verify(token);
    const kept = await verifier.verify(other);
    served.answer = answerWith(SECOND);
    clock.advance(599_999);
    await clock.settle();
    expect(served.requests).toBe(1);
    clock.advance(1);
    expect(verifier.verify(token)).toBe(identity);
    await vi.waitFor(() => expect(verifier.verify(token)).not.toBe(identity));
    expect(served.requests).toBe(2);
    expect(await verifier.verify(token)).toMatchObject({ status: 503 });
    expect(verifier.verify(other)).toBe(kept);
  });

  it('is kept for a day if no newer one can be fetched', async () => {
    const served = await jwksServer(FIRST);
    const { verifier, clock, lines } = await opened(served);
    served.answer = (_, response) => void response.writeHead(500).end();
    const verify = async () => {
      const iat = Math.floor(NOW_S + clock.now() / 1_000);
      return verifier.verify(await FIRST.sign(claimsOf({ aud: 'pregon', iat, exp: iat + 60 })));
    };
    for (let hour = 1; hour < 24; hour++) {
      clock.advance(3_600_000);
      await clock.settle();
      expect(await verify()).toMatchObject({ sub: 'ada' });
    }
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    clock.advance(3_600_000);
    await clock.settle();
    expect(await verify()).toMatchObject({ status: 503 });
    served.answer = answerWith(FIRST);
    await secondsUntil(clock, async () => !isTokenRefusal(await verify()));
    expect(lines.at(-1)).toMatchObject({ level: 'info', message: 'the key set of the issuer was fetched again' });
  });

  it('is fetched again when the operator asks for it', async () => {
    const served = await jwksServer(FIRST);
    const { verifier } = await opened(served);
    served.answer = answerWith(SECOND);
    await verifier.reload();
    expect(await verifier.verify(await signedBy(SECOND))).toMatchObject({ sub: 'ada' });
    served.answer = (_, response) => void response.destroy();
    await verifier.reload();
    expect(await verifier.verify(await signedBy(SECOND))).toMatchObject({ sub: 'ada' });
  });

  it('is not waited for when the gateway starts, and is asked for with growing pauses if it fails', async () => {
    const served = await jwksServer();
    served.answer = (_, response) => void response.destroy();
    const { verifier, clock } = await open(served.url);
    const token = await signedBy(FIRST);
    expect(await verifier.verify(token)).toMatchObject({ status: 503, error: 'keys_unavailable' });
    for (let n = 0; n < 20; n++) expect(await verifier.verify(token)).toMatchObject({ status: 503 });
    expect(served.requests).toBe(1);
    // Also without clients, so that the keys are there before the first one.
    for (let seconds = 0; seconds < 120; seconds++) {
      clock.advance(1_000);
      if (seconds % 10 === 0) await verifier.verify(token);
      else await clock.settle();
    }
    expect(served.requests).toBeGreaterThan(5);
    expect(served.requests).toBeLessThan(16);
    served.answer = answerWith(FIRST);
    await secondsUntil(clock, async () => !isTokenRefusal(await verifier.verify(token)));
  });

  it('leaves out keys that are none, or are not for signatures', async () => {
    const { publicJwk } = FIRST;
    const served = await jwksServer();
    const rsa = await testIssuer('RS256', 'rsa');
    served.answer = answerJson({
      keys: [
        null,
        7,
        {},
        { kty: 'oct', k: Buffer.from(SECRET).toString('base64url'), kid: 'secret', alg: 'HS256' },
        { ...publicJwk, kid: 'encryption', use: 'enc' },
        { ...publicJwk, kid: 'signing', key_ops: ['sign'] },
        { ...publicJwk, kid: 'bent', x: publicJwk.y },
        { ...publicJwk, kid: 7 },
        { ...publicJwk, kid: 'other', alg: 'ES384' },
        { ...rsa.publicJwk, kid: 'short', n: rsa.publicJwk.n?.slice(0, 100) },
        { ...publicJwk, kid: 'private', d: publicJwk.x },
        publicJwk,
      ],
    });
    const { verifier, clock } = await open(served.url);
    expect(await verifier.verify(await signedBy(FIRST))).toMatchObject({ sub: 'ada' });
    for (const kid of ['encryption', 'signing', 'bent', '7', 'other', 'private', 'secret']) {
      clock.advance(30_000);
      expect(await verifier.verify(await signedBy(FIRST, kid)), kid).toBe(REFUSED.key);
    }
  });

  it('may have keys without a name, for tokens that name none', async () => {
    const served = await jwksServer();
    const nameless = [SECOND, FIRST].map(({ publicJwk: { kid: _, ...jwk } }) => jwk);
    served.answer = answerJson({ keys: nameless });
    const { verifier, clock } = await open(served.url);
    expect(await verifier.verify(await FIRST.sign(claimsOf({ aud: 'pregon' }), { kid: undefined }))).toMatchObject({
      sub: 'ada',
    });
    clock.advance(30_000);
    expect(await verifier.verify(await signedBy(FIRST))).toBe(REFUSED.key);
  });
});

describe('[I-8] A key set is not taken', () => {
  const LARGE = JSON.stringify({ keys: [FIRST.publicJwk], more: 'x'.repeat(1_100_000) });

  it.each([
    ['is larger than 1 MiB', { keys: [FIRST.publicJwk], more: 'x'.repeat(1_100_000) }, 'more than 1048576 bytes'],
    ['has no keys', { keys: [] }, 'no key'],
    ['has 65 keys', { keys: Array.from({ length: 65 }, () => FIRST.publicJwk) }, 'more than 64'],
    ['is a list', [FIRST.publicJwk], 'no list "keys"'],
    ['is null', null, 'no list "keys"'],
  ])('if it %s', async (_, value, problem) => {
    const served = await jwksServer();
    served.answer = answerJson(value);
    const { verifier, lines } = await open(served.url);
    expect(await verifier.verify(await signedBy(FIRST))).toMatchObject({ status: 503 });
    expect(lines).toMatchObject([{ level: 'warn', fields: { problem: expect.stringContaining(problem) } }]);
  });

  it('if it is not JSON, and its text is not logged', async () => {
    const served = await jwksServer();
    served.answer = (_, response) => send(response, '{"keys": confidential');
    const { verifier, lines } = await open(served.url);
    expect(await verifier.verify(await signedBy(FIRST))).toMatchObject({ status: 503 });
    expect(lines).toMatchObject([{ fields: { problem: 'the key set is not JSON' } }]);
    expect(JSON.stringify(lines)).not.toContain('confidential');
  });

  it('if it is small only while it is compressed', async () => {
    const served = await jwksServer();
    const body = gzipSync(LARGE);
    served.answer = (_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(body);
    const { verifier, lines } = await open(served.url);
    expect(await verifier.verify(await signedBy(FIRST))).toMatchObject({ status: 503 });
    expect(lines).toMatchObject([{ fields: { problem: expect.stringContaining('more than 1048576 bytes') } }]);
  });

  it('if it never ends', async () => {
    const served = await jwksServer();
    let isClosed = false;
    served.answer = (request, response) => {
      request.socket.on('close', () => {
        isClosed = true;
      });
      response.writeHead(200);
      const more = () => void (response.destroyed || response.write(' '.repeat(65_536), more));
      more();
    };
    const { verifier } = await open(served.url);
    expect(await verifier.verify(await signedBy(FIRST))).toMatchObject({ status: 503 });
    await vi.waitFor(() => expect(isClosed).toBe(true));
  });

  it('if it is not there within 5 seconds', async () => {
    const served = await jwksServer();
    served.answer = (_, response) => void response.writeHead(200).write('{');
    const { verifier, clock, lines } = await open(served.url);
    const waiting = Promise.resolve(verifier.verify(await signedBy(FIRST)));
    await vi.waitFor(() => expect(served.requests).toBe(1));
    clock.advance(4_999);
    expect(lines).toEqual([]);
    clock.advance(1);
    expect(await waiting).toMatchObject({ status: 503 });
    expect(lines).toMatchObject([{ fields: { problem: 'the key set was not there within 5000 ms' } }]);
  });

  it('if it is behind a redirect', async () => {
    const [served, other] = [await jwksServer(), await jwksServer(FIRST)];
    for (const status of [301, 302, 303, 307, 308]) {
      served.answer = (_, response) => void response.writeHead(status, { location: other.url }).end();
      const { verifier, lines } = await open(served.url);
      expect(await verifier.verify(await signedBy(FIRST))).toMatchObject({ status: 503 });
      expect(lines).toMatchObject([{ fields: { problem: expect.stringContaining('redirects are not followed') } }]);
    }
    expect(other.requests).toBe(0);
  });

  it('if nobody listens, and the query of its URL is not logged', async () => {
    const { verifier, lines } = await open('http://127.0.0.1:1/jwks.json?key=confidential');
    expect(await verifier.verify(await signedBy(FIRST))).toMatchObject({ status: 503 });
    expect(lines).toHaveLength(1);
    expect(JSON.stringify(lines)).not.toContain('confidential');
  });

  it('after the verifier is closed', async () => {
    const served = await jwksServer();
    served.answer = () => {};
    const { verifier, clock, lines } = await open(served.url);
    const waiting = Promise.resolve(verifier.verify(await signedBy(FIRST)));
    verifier.close();
    expect(await waiting).toMatchObject({ status: 503 });
    expect(clock.timers).toBe(0);
    expect(lines).toEqual([]);
  });
});
