import { describe, expect, it } from 'vitest';
import { LimitedAddresses } from '../../../src/access/limits/limited-addresses.js';

const everybody = new LimitedAddresses([]);
const byDefault = new LimitedAddresses(undefined);

describe('[H-08] an address counts', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::FFFF:cb00:7107', '203.0.113.7'],
    ['0:0:0:0:0:ffff:203.0.113.7', '203.0.113.7'],
    ['64:ff9b::203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8::5:6:7:8', '2001:db8:0:0::/64'],
    ['1::', '1:0:0:0::/64'],
    ['::2', '0:0:0:0::/64'],
    ['64:ff9b:1::1', '64:ff9b:1:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['127.0.0.1', '127.0.0.1'],
  ])('%s for %s', (address, key) => expect(everybody.keyOf(address)).toBe(key));

  it.each([
    ...[
      '127.0.0.1',
      '127.255.0.9',
      '::1',
      '::ffff:127.0.0.1',
      '10.1.2.3',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.1.1',
    ],
    ...['169.254.1.1', 'fe80::1%eth0', 'fd00::1', '::ffff:10.0.0.1', 'unknown', ''],
  ])('not at all if it is loopback, private or unknown: %s', (address) => {
    expect(byDefault.keyOf(address)).toBeUndefined();
  });

  it.each(['172.32.0.1', '11.0.0.1', '192.169.0.1', '100.64.0.1', '2001:db8::1', '8.8.8.8', '::2'])(
    'if it is public: %s',
    (address) => expect(byDefault.keyOf(address)).toBeDefined(),
  );

  it('unless it is listed', () => {
    const limited = new LimitedAddresses(['203.0.113.0/24', '2001:db8::/32']);
    expect(limited.keyOf('203.0.113.7')).toBeUndefined();
    expect(limited.keyOf('2001:db8::7')).toBeUndefined();
    expect(limited.keyOf('10.0.0.1')).toBe('10.0.0.1');
    expect(() => new LimitedAddresses(['example.org'])).toThrow('exemptAddresses: "example.org" is neither');
  });
});
