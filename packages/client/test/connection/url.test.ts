import { afterEach, describe, expect, it, vi } from 'vitest';
import { httpUrl, webSocketUrl } from '../../src/reach/url.js';
import { harness } from '../support/harness.js';

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the URL of a gateway', () => {
  it.each([
    ['ws://localhost:1234/events', 'ws://localhost:1234/events'],
    ['WSS://Example.com/events?since=first', 'wss://example.com/events?since=first'],
    ['http://localhost:1234/events', 'ws://localhost:1234/events'],
    ['https://example.com/events?token=a%2Fb', 'wss://example.com/events?token=a%2Fb'],
    ['https://example.com:8443', 'wss://example.com:8443/'],
    [' http://localhost/événements ', 'ws://localhost/%C3%A9v%C3%A9nements'],
  ])('[fault G10] is read as WebSocket reads it, without a page: %s', (given, expected) => {
    expect(webSocketUrl(given)).toBe(expected);
    expect(webSocketUrl(new URL(given))).toBe(expected);
  });

  it.each([
    ['/orders', 'wss://shop.example/orders'],
    ['orders?x=1', 'wss://shop.example/catalogue/orders?x=1'],
    ['../orders', 'wss://shop.example/orders'],
    ['//live.example/orders', 'wss://live.example/orders'],
    ['', 'wss://shop.example/catalogue/index.html?q=1'],
    ['ws://localhost:1/', 'ws://localhost:1/'],
  ])('[fault G10] is resolved against the page: %j', (given, expected) => {
    vi.stubGlobal('document', { baseURI: 'https://shop.example/catalogue/index.html?q=1' });
    expect(webSocketUrl(given)).toBe(expected);
    vi.stubGlobal('document', undefined);
    vi.stubGlobal('location', new URL('https://shop.example/catalogue/index.html?q=1'));
    expect(webSocketUrl(given)).toBe(expected);
    expect(webSocketUrl(globalThis.location)).toBe('wss://shop.example/catalogue/index.html?q=1');
  });

  it.each(['about:blank', 'file:///home/me/page.html', 'data:text/html,x', 'blob:https://shop.example/1'])(
    '[fault G10] is a TypeError if it is relative, in a page of %s',
    (page) => {
      vi.stubGlobal('document', { baseURI: page });
      expect(() => webSocketUrl('/orders')).toThrow(TypeError);
    },
  );

  it('[fault G10] causes an error that says what is wrong, without the secrets in it', () => {
    expect(() => webSocketUrl('/orders?token=secret')).toThrow(
      'url must be a ws:, wss:, http: or https: URL without a fragment, and absolute if there is no page: "/orders',
    );
    expect(() => webSocketUrl('ftp://me:secret@host/?token=secret')).toThrow(/^(?!.*secret)/);
  });

  it('[fault G10] may come from a function in each of these forms', async () => {
    const forms: (string | URL)[] = ['http://a/1', new URL('https://a/2'), '/3', 'ws://a/4'];
    const { clock, sockets, errors } = await harness({ url: async () => forms.shift() ?? 'ws://a/last' });
    for (let i = 0; i < 3; i++) {
      sockets.at(-1)?.lose();
      await clock.advance(5_000);
    }
    expect(sockets.map(({ url }) => url)).toEqual(['ws://a/1', 'wss://a/2', 'ws://a/4', 'ws://a/last']);
    expect(errors).toMatchObject([{ code: 'CONNECTION_LOST', cause: expect.any(TypeError) }]);
  });

  it('is requested over HTTP without user name and password, which fetch refuses', () => {
    expect(httpUrl('ws://me:secret@host:1/a?b=c@d')).toBe('http://host:1/a?b=c@d');
    expect(httpUrl('wss://host/a@b')).toBe('https://host/a@b');
  });
});
