import { describe, expect, it } from 'vitest';
import { isOriginAllowed } from '../../src/access/origins.js';

const ALLOWED = ['https://shop.example'];

const OWN_HOSTS = ['localhost:80', '127.0.0.1', '192.168.0.7:1234', '[2001:db8::1]', 'shop.example'];
const FOREIGN_HOSTS = ['live.shop.example', 'localhost.evil.example', 'gateway', ''];

describe('[fault D4] a request without an origin', () => {
  it.each([
    ['no header of a browser', {}],
    ['the name of a program', { 'user-agent': 'node-XMLHttpRequest' }],
    ['a WebSocket handshake', { upgrade: 'websocket', 'user-agent': 'Mozilla/5.0', 'accept-language': 'en' }],
  ])('with %s is admitted under any host name', (_name, headers) => {
    for (const host of [...OWN_HOSTS, ...FOREIGN_HOSTS])
      expect(isOriginAllowed({ host, ...headers }, ALLOWED)).toBe(true);
  });

  it.each([
    ['Sec-Fetch-Site', { 'sec-fetch-site': 'same-origin' }],
    ['another Sec-Fetch header', { 'sec-fetch-mode': 'cors' }],
    ['the User-Agent of a browser', { 'user-agent': 'Mozilla/5.0' }],
    ['Accept-Language, although a page chose the User-Agent', { 'user-agent': 'curl/8', 'accept-language': 'en' }],
    ['an empty Accept-Language', { 'user-agent': '', 'accept-language': '' }],
  ])('with %s is admitted only under the host names of the gateway', (_name, headers) => {
    for (const host of OWN_HOSTS) expect(isOriginAllowed({ host, ...headers }, ALLOWED), host).toBe(true);
    for (const host of FOREIGN_HOSTS) expect(isOriginAllowed({ host, ...headers }, ALLOWED), host).toBe(false);
    expect(isOriginAllowed({ ':authority': 'evil.example', ...headers }, ALLOWED)).toBe(false);
    expect(isOriginAllowed({ host: 'shop.example', ...headers }, undefined)).toBe(false);
  });
});

it('[fault D4] a request with an origin is judged only by its origin, whatever its other headers', () => {
  for (const headers of [{}, { 'user-agent': 'curl/8' }, { 'sec-fetch-site': 'same-site' }, { upgrade: 'websocket' }]) {
    for (const host of [...OWN_HOSTS, ...FOREIGN_HOSTS]) {
      expect(isOriginAllowed({ host, origin: 'https://shop.example', ...headers }, ALLOWED)).toBe(true);
      expect(isOriginAllowed({ host, origin: 'https://evil.example', ...headers }, ALLOWED)).toBe(false);
    }
  }
});
