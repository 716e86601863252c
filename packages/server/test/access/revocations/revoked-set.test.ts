import { parseRevocation, type Revocation, revocationKey, toBlock, toRevocation } from '@pregon/protocol';
import { describe, expect, it } from 'vitest';
import { RevokedSet } from '../../../src/access/revocations/revoked-set.js';

const NOW = 1_800_000_000_000;
const ADA = { iss: 'shop', sub: 'ada', issuedAtMs: NOW - 1_000 };

function setOf(...revocations: readonly Revocation[]): RevokedSet {
  const set = new RevokedSet();
  for (const revocation of revocations) {
    set.set(revocationKey(revocation), { value: JSON.stringify(revocation), expiresAt: NOW + 60_000 });
  }
  return set;
}

describe('[H-06] [I-9] A set of revocations', () => {
  it('has a subject with the tokens that were issued until the revocation, and no other subject', () => {
    const set = setOf(toRevocation({ iss: 'shop', sub: 'ada' }, NOW));
    expect(set.has(ADA, NOW)).toBe(true);
    expect(set.has({ ...ADA, issuedAtMs: NOW }, NOW)).toBe(true);
    expect(set.has({ ...ADA, issuedAtMs: NOW + 1 }, NOW)).toBe(false);
    expect(set.has({ iss: 'shop', sub: 'ada' }, NOW)).toBe(true);
    expect(set.has({ ...ADA, iss: 'other' }, NOW)).toBe(false);
    expect(set.has({ ...ADA, sub: 'ad' }, NOW)).toBe(false);
  });

  it('has one token by its jti, and none without a jti', () => {
    const set = setOf(toRevocation({ iss: 'shop', jti: '1' }, NOW));
    expect(set.has({ ...ADA, jti: '1' }, NOW)).toBe(true);
    expect(set.has({ ...ADA, jti: '2' }, NOW)).toBe(false);
    expect(set.has(ADA, NOW)).toBe(false);
  });

  it('has the older tokens of an issuer', () => {
    const set = setOf(toRevocation({ iss: 'shop', issuedBefore: NOW }, NOW));
    expect(set.has(ADA, NOW)).toBe(true);
    expect(set.has({ ...ADA, issuedAtMs: NOW }, NOW)).toBe(false);
  });

  it('has a blocked subject with any token, until the value expires', () => {
    const set = setOf(toBlock({ iss: 'shop', sub: 'ada', until: NOW + 60_000 }, NOW));
    expect(set.has({ ...ADA, issuedAtMs: NOW + 30_000 }, NOW + 59_999)).toBe(true);
    expect(set.has(ADA, NOW + 60_000)).toBe(false);
  });

  it('takes the names apart, whatever is in them', () => {
    const set = setOf(toRevocation({ iss: 'a","b', sub: 'c' }, NOW));
    expect(set.has({ iss: 'a","b', sub: 'c', issuedAtMs: NOW }, NOW)).toBe(true);
    expect(set.has({ iss: 'a', sub: 'b","c', issuedAtMs: NOW }, NOW)).toBe(false);
    expect(setOf(toRevocation({ iss: 'shop', jti: 'ada' }, NOW)).has(ADA, NOW)).toBe(false);
  });

  it('keeps the later of two revocations with one key, whichever comes last; the last block counts', () => {
    const [early, late] = [NOW - 5_000, NOW].map((at) => toRevocation({ iss: 'shop', sub: 'ada' }, at));
    if (!early || !late) throw new Error('there are two');
    expect(setOf(late, early).has(ADA, NOW)).toBe(true);
    expect(setOf(early, late).has(ADA, NOW)).toBe(true);
    expect(setOf(early).has(ADA, NOW)).toBe(false);
    const set = setOf(late);
    const older = { value: JSON.stringify(early), expiresAt: NOW + 60_000 };
    expect(set.set(revocationKey(early), older)).toEqual({ revocation: late, isKept: false });
  });

  it('reads a revocation of a newer release, which has members that this one does not know', () => {
    const stored = { ...toRevocation({ iss: 'shop', sub: 'ada' }, NOW), reason: 'stolen' };
    expect(parseRevocation(stored)).toEqual(toRevocation({ iss: 'shop', sub: 'ada' }, NOW));
  });
});
