import { BlockList } from 'node:net';
import { describe, expect, it } from 'vitest';
import { AddressBlocks } from '../../src/access/blocked-addresses.js';

describe('blocked addresses', () => {
  const list = new AddressBlocks(['192.0.2.7', '198.51.100.0/24', '2001:db8::/32', '::1']);

  it.each([
    '192.0.2.7',
    '::ffff:192.0.2.7',
    '198.51.100.0',
    '198.51.100.255',
    '2001:db8:ffff::9',
    '::1',
    '2001:db8::1%eth0',
  ])('include %s', (address) => expect(isBlocked(list, address)).toBe(true));

  it.each(['192.0.2.8', '198.51.101.0', '::ffff:198.51.101.1', '2001:db9::', '::2', 'unknown', ''])(
    'do not include %s',
    (address) => expect(isBlocked(list, address)).toBe(false),
  );

  it('can include every address', () => {
    const all = new AddressBlocks(['0.0.0.0/0', '::/0']);
    for (const address of ['127.0.0.1', '::1', '203.0.113.9']) expect(isBlocked(all, address)).toBe(true);
  });

  it('may be added later to a BlockList of the application', () => {
    const kept = new BlockList();
    const used = new AddressBlocks(kept);
    expect(isBlocked(used, '192.0.2.7')).toBe(false);
    kept.addAddress('192.0.2.7');
    expect(isBlocked(used, '192.0.2.7')).toBe(true);
  });

  it.each(['', 'localhost', '192.0.2', '192.0.2.7/33', '::/129', '192.0.2.0/', '192.0.2.0/8/8', '192.0.2.0/-1'])(
    'cannot be read from %j, which is neither an address nor a subnet',
    (entry) => expect(() => new AddressBlocks([entry])).toThrow(TypeError),
  );
});

function isBlocked(blocks: AddressBlocks, remoteAddress: string): boolean {
  return blocks.admit({ remoteAddress })?.status === 403;
}
