import { expect, it } from 'vitest';
import { KeySet } from '../../../src/access/tokens/keys/key-set.js';
import { ConfiguredKeys } from '../../../src/access/tokens/keys/key-source.js';
import { VerifiedTokens } from '../../../src/access/tokens/verified-tokens.js';

const KEY = { id: '1', algorithm: 'HS256', kid: undefined, check: async () => undefined } as const;
const SOURCE = new ConfiguredKeys(new KeySet([KEY]));
const IDENTITY = { iss: 'shop', sub: 'ada', claims: {}, issuedAtMs: 0, expiresAtMs: 1 };

function filled(count: number, bytes: number): VerifiedTokens {
  const tokens = new VerifiedTokens();
  for (let n = 0; n < count; n++) tokens.set(`${n}`, { identity: IDENTITY, bytes, key: KEY, source: SOURCE });
  return tokens;
}

it('[I-7] At most 10,000 verified tokens are remembered, the latest ones', () => {
  const tokens = filled(10_001, 500);
  expect(tokens.size).toBe(10_000);
  expect(tokens.get('0')).toBeUndefined();
  expect(tokens.get('1')).toBeDefined();
  expect(tokens.get('10000')).toBeDefined();
});

it('[I-7] Fewer are remembered if they are large: 8 MiB of text in all', () => {
  expect(filled(10_000, 8_192).size).toBe(1_024);
});

it('[I-7] A token that is remembered twice, or forgotten, counts once, or no longer', () => {
  const tokens = filled(1_024, 8_192);
  for (let n = 0; n < 10; n++) tokens.set('1023', { identity: IDENTITY, bytes: 8_192, key: KEY, source: SOURCE });
  expect(tokens.size).toBe(1_024);
  tokens.delete('1023');
  tokens.set('new', { identity: IDENTITY, bytes: 8_192, key: KEY, source: SOURCE });
  expect(tokens.get('0')).toBeDefined();
});
