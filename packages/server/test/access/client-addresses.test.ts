import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClientAddressOptions } from '../../src/access/addresses/client-address-options.js';
import { ClientAddresses } from '../../src/access/addresses/client-addresses.js';

const PROXIES: ClientAddressOptions = { trustedProxies: ['127.0.0.1', '10.0.0.0/8', '2001:db8:aaaa::/48'] };
const FORWARDED: ClientAddressOptions = { ...PROXIES, proxyHeader: 'forwarded' };

function addressOf(
  headers: Readonly<Record<string, string | string[]>>,
  { peer = '127.0.0.1', ...options }: ClientAddressOptions & { peer?: string | undefined } = PROXIES,
): string {
  return new ClientAddresses(options).of({ httpVersion: '1.1', headers, socket: { remoteAddress: peer } });
}

const xff = (value: string, options?: Parameters<typeof addressOf>[1]) =>
  addressOf({ 'x-forwarded-for': value }, options);
const forwarded = (value: string) => addressOf({ forwarded: value }, FORWARDED);

describe('[H-08] the address of a client', () => {
  it('is that of its socket if no proxy is trusted, whatever the headers say', () => {
    const headers = { 'x-forwarded-for': '203.0.113.7', forwarded: 'for=203.0.113.7', 'x-real-ip': '203.0.113.7' };
    expect(addressOf(headers, {})).toBe('127.0.0.1');
    expect(addressOf(headers, { ...PROXIES, peer: '198.51.100.1' })).toBe('198.51.100.1');
    expect(addressOf(headers, { trustedProxies: [] })).toBe('127.0.0.1');
  });

  it('is that of the trusted proxy if the proxy reports none', () => {
    expect(addressOf({})).toBe('127.0.0.1');
    expect(xff('')).toBe('127.0.0.1');
  });

  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['6.6.6.6, 203.0.113.7', '203.0.113.7'],
    ['6.6.6.6, 203.0.113.7, 10.1.2.3', '203.0.113.7'],
    ['203.0.113.7,10.1.2.3,2001:db8:aaaa::1', '203.0.113.7'],
    ['10.1.2.3, 10.4.5.6', '10.1.2.3'],
    ['203.0.113.7:54321', '203.0.113.7'],
    ['[2001:DB8::7]:54321', '2001:db8::7'],
    ['2001:db8::7', '2001:db8::7'],
    ['fe80::1%eth0', 'fe80::1'],
    ['"6.6.6.6, 203.0.113.7', '203.0.113.7'],
  ])('is the last one of X-Forwarded-For that is not a trusted proxy: %s', (value, address) => {
    expect(xff(value)).toBe(address);
  });

  it.each([
    'unknown',
    '203.0.113.7, unknown',
    '6.6.6.6 7.7.7.7',
    '203.0.113.256',
    '[203.0.113.7',
    ',',
    '203.0.113.7,',
    '1.2.3.4.5',
    '0x7f.1',
    '203.0.113.7%eth0',
  ])('is that of the proxy if the proxy reports what is not an address: %j', (value) => {
    expect(xff(value)).toBe('127.0.0.1');
  });

  it('comes from one header only: the other one may be what the client sent', () => {
    const both = { 'x-forwarded-for': '203.0.113.7', forwarded: 'for=6.6.6.6' };
    expect(addressOf(both)).toBe('203.0.113.7');
    expect(addressOf(both, FORWARDED)).toBe('6.6.6.6');
  });

  it.each([
    ['for=203.0.113.7', '203.0.113.7'],
    ['For="203.0.113.7:4711";proto=https;by=10.0.0.1', '203.0.113.7'],
    ['for=6.6.6.6, by=10.0.0.1;for="[2001:db8::7]:4711" , for=10.9.9.9', '2001:db8::7'],
    ['for=6.6.6.6, host="a,b;for=6.6.6.6";for=203.0.113.7', '203.0.113.7'],
    ['for=6.6.6.6;host="open, for=203.0.113.7', '203.0.113.7'],
    ['host="\\";for=6.6.6.6";for=203.0.113.7', '203.0.113.7'],
  ])('is read from Forwarded if that is the header of the proxies: %s', (value, address) => {
    expect(forwarded(value)).toBe(address);
  });

  it.each(['for=unknown', 'for=_hidden', 'by=10.0.0.1', 'for', 'for=1.2.3.4;for=203.0.113.7', '=', 'for=1.2.3.4 x=y'])(
    'is that of the proxy if Forwarded does not name an address: %s',
    (value) => {
      expect(forwarded(value)).toBe('127.0.0.1');
    },
  );

  it('cannot be chosen by a client: what it sends itself stands before the element of the proxy', () => {
    const hostile = fc.oneof(fc.string(), fc.stringMatching(/^[\d.,:;="[\] \\for]{0,60}$/), fc.ipV4(), fc.ipV6());
    fc.assert(
      fc.property(hostile, (sent) => {
        expect(xff(`${sent}, 203.0.113.7`)).toBe('203.0.113.7');
        expect(forwarded(`${sent}, for=203.0.113.7`)).toBe('203.0.113.7');
        expect(typeof xff(sent)).toBe('string');
        expect(typeof forwarded(sent)).toBe('string');
      }),
      { numRuns: 2_000 },
    );
  });

  it('is found without delay in a header of any length', () => {
    const began = performance.now();
    for (const sent of ['"', '\\"', ',', '10.0.0.1,', 'for=', ';', ' ', 'a=']) {
      xff(sent.repeat(20_000));
      forwarded(sent.repeat(20_000));
      forwarded(`for="${sent.repeat(20_000)}`);
    }
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it.each([['localhost'], ['10.0.0.0/33'], ['10.0.0.1%eth0']])('is not found through the proxy %s', (entry) => {
    expect(() => new ClientAddresses({ trustedProxies: [entry] })).toThrow(/^trustedProxies: ".*" is neither/);
  });

  it('needs one of the two headers', () => {
    const options: object = { proxyHeader: 'x-real-ip' };
    expect(() => new ClientAddresses(options)).toThrow('proxyHeader must be x-forwarded-for or forwarded');
  });
});
