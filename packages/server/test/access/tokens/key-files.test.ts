import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../../../test/support/cleanup.js';
import { REFUSED } from '../../../src/access/tokens/token-refusal.js';
import { eventLoopTurn } from '../../core/support/fake-clock.js';
import { claimsOf, SECRET, signHmac, testIssuer } from './support/issuers.js';
import { openVerifier } from './support/open-verifier.js';

const OTHER = 'another secret of more than thirty-two bytes, for tests';
const POLL_MS = 10_000;

function fileWith(content: string | Uint8Array, name = 'key.txt', folder = temporaryFolder()): string {
  const path = join(folder, name);
  replace(path, content);
  return path;
}

function replace(path: string, content: string | Uint8Array): void {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

async function open(secretFile: string | readonly string[]) {
  const { verifier, clock, lines } = await openVerifier({ issuer: 'shop', secretFile });
  const isTaken = async (secret: string) => {
    const result = await verifier.verify(await signHmac(claimsOf(), {}, secret));
    expect([undefined, REFUSED.signature]).toContain('error' in result ? result : undefined);
    return !('error' in result);
  };
  /** Lets the next poll happen, and waits until it has ended: then the timer of the poll after it runs. */
  const poll = async () => {
    clock.advance(POLL_MS);
    expect(clock.timers).toBe(0);
    while (clock.timers === 0) await eventLoopTurn();
  };
  return { verifier, clock, lines, isTaken, poll };
}

describe('[H-02] A key file', () => {
  it('is read again every 10 seconds, so that its key is replaced without a restart', async () => {
    const path = fileWith(SECRET);
    const { isTaken, poll, lines } = await open(path);
    expect([await isTaken(SECRET), await isTaken(OTHER)]).toEqual([true, false]);
    replace(path, OTHER);
    expect([await isTaken(SECRET), await isTaken(OTHER)]).toEqual([true, false]);
    await poll();
    expect([await isTaken(SECRET), await isTaken(OTHER)]).toEqual([false, true]);
    expect(lines).toEqual([]);
  });

  it('is read again at once when the operator asks for it', async () => {
    const path = fileWith(SECRET);
    const { isTaken, verifier } = await open(path);
    replace(path, OTHER);
    await verifier.reload();
    expect(await isTaken(OTHER)).toBe(true);
  });

  it('is one of several while its key is replaced', async () => {
    const folder = temporaryFolder();
    const paths = [fileWith(SECRET, 'new.txt', folder), fileWith(OTHER, 'old.txt', folder)];
    const { isTaken } = await open(paths);
    expect([await isTaken(SECRET), await isTaken(OTHER), await isTaken('x'.repeat(32))]).toEqual([true, true, false]);
  });

  it('may end with a line break, which is no part of the secret', async () => {
    for (const end of ['\n', '\r\n']) expect(await (await open(fileWith(SECRET + end))).isTaken(SECRET)).toBe(true);
    expect(await (await open(fileWith(`${SECRET} `))).isTaken(SECRET)).toBe(false);
  });

  it('[I-8] keeps its last good key if it is broken, with one warning, until it is good again', async () => {
    const path = fileWith(SECRET);
    const { isTaken, poll, lines } = await open(path);
    const broken = [
      () => replace(path, 'half a confidential'),
      () => replace(path, ''),
      () => replace(path, 'x'.repeat(65_537)),
      () => rmSync(path),
      () => mkdirSync(path),
    ];
    for (const [index, breakIt] of broken.entries()) {
      breakIt();
      await poll();
      await poll();
      expect(await isTaken(SECRET)).toBe(true);
      expect(lines).toHaveLength(index + 1);
    }
    expect(lines.every(({ level }) => level === 'warn')).toBe(true);
    expect(lines[0]).toMatchObject({ fields: { issuer: 'shop', file: path } });
    rmSync(path, { recursive: true });
    replace(path, OTHER);
    await poll();
    expect(await isTaken(OTHER)).toBe(true);
    expect(lines.at(-1)).toMatchObject({ level: 'info', message: 'the key file can be read again' });
    expect(JSON.stringify(lines)).not.toMatch(/confidential|more than thirty-two/);
  });

  it('[I-9] ends remembered tokens of a key that was replaced, and no others', async () => {
    const folder = temporaryFolder();
    const paths = [fileWith(SECRET, 'a.txt', folder), fileWith(OTHER, 'b.txt', folder)];
    const { verifier, poll } = await open(paths);
    const [old, kept] = [await signHmac(claimsOf()), await signHmac(claimsOf(), {}, OTHER)];
    const identity = await verifier.verify(kept);
    await verifier.verify(old);
    replace(paths[0] ?? '', 'a new secret of more than thirty-two bytes, for tests');
    await poll();
    expect(verifier.verify(kept)).toBe(identity);
    expect(await verifier.verify(old)).toBe(REFUSED.signature);
  });

  it('keeps remembered tokens of a key that moves to another file, or is written in another way', async () => {
    const folder = temporaryFolder();
    const paths = [fileWith(SECRET, 'new.txt', folder), fileWith(OTHER, 'old.txt', folder)];
    const { verifier, poll } = await open(paths);
    const token = await signHmac(claimsOf());
    const identity = await verifier.verify(token);
    replace(paths[0] ?? '', 'a new secret of more than thirty-two bytes, for tests');
    replace(paths[1] ?? '', `${SECRET}\n`);
    await poll();
    expect(verifier.verify(token)).toBe(identity);
  });

  it('may contain a public key, as PEM or as a JSON Web Key', async () => {
    for (const algorithm of ['RS256', 'ES256', 'EdDSA']) {
      const issuer = await testIssuer(algorithm);
      for (const content of [issuer.publicPem, `\n${issuer.publicPem}\n`, JSON.stringify(issuer.publicJwk)]) {
        const { verifier } = await openVerifier({
          issuer: 'shop',
          publicKeyFile: fileWith(content),
          algorithms: ['ES256', 'EdDSA', 'RS256'],
        });
        expect(await verifier.verify(await issuer.sign(claimsOf()))).toMatchObject({ sub: 'ada' });
      }
    }
  });

  it('is no longer read after the verifier is closed', async () => {
    const { verifier, clock } = await open(fileWith(SECRET));
    expect(clock.timers).toBe(1);
    const reading = verifier.reload();
    verifier.close();
    await reading;
    expect(clock.timers).toBe(0);
  });
});

describe('[I-9] A gateway does not start', () => {
  it.each([
    ['is missing', undefined, 'ENOENT'],
    ['is empty', '', '0 bytes'],
    ['has a short secret', 'x'.repeat(31), 'the secret has 31 bytes, and HS256 needs at least 32'],
    ['is a PEM key', '-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----', 'name it as publicKey'],
  ])('if a file with a secret %s', async (_, content, problem) => {
    const path = content === undefined ? join(temporaryFolder(), 'none') : fileWith(content);
    await expect(open(path)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(problem),
    });
    await expect(open(path)).rejects.toThrow(path);
  });

  it('if a file with a public key contains anything else, and the error does not repeat it', async () => {
    const [ec, rsa] = [await testIssuer('ES256'), await testIssuer('RS256')];
    const contents = {
      'it contains a private key': '-----BEGIN PRIVATE KEY-----\nconfidential\n-----END PRIVATE KEY-----',
      'it contains several PEM blocks': ec.publicPem + ec.publicPem,
      'it is neither a key': 'confidential',
      'its JSON is invalid': '{confidential',
      'is not a valid public key': '{"kty":"EC","crv":"confidential"}',
      'is private or secret': JSON.stringify({ ...ec.publicJwk, d: 'confidential' }),
      'private or secret': '{"kty":"oct","k":"confidential"}',
      'its PEM block is not valid': '-----BEGIN PUBLIC KEY-----\nconfidential\n-----END PUBLIC KEY-----',
      'it is not a public key': '-----BEGIN X509 CRL-----\nconfidential\n-----END X509 CRL-----',
      'of the kind rsa': rsa.publicPem,
      'kid of the JSON Web Key': JSON.stringify({ ...ec.publicJwk, kid: 7 }),
    };
    for (const [problem, content] of Object.entries(contents)) {
      const options = { issuer: 'shop', publicKeyFile: fileWith(content), algorithms: ['ES256'] };
      const error: unknown = await openVerifier(options).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining(problem.split(' not')[0] ?? ''),
      });
      expect(`${error}`).not.toContain('confidential');
    }
  });
});
