import { describe, expect, it } from 'vitest';
import { forgetTicket, takeTicket, ticketOf } from '../../../src/core/admission/url-tickets.js';

function taken(url: string | undefined, headers: Record<string, string> = {}) {
  const request = { url, headers };
  takeTicket(request);
  return { ticket: ticketOf(request), url: request.url, headers };
}

describe('[I-9] [H-04] A ticket in a URL', () => {
  it.each([
    ['/events?ticket=abc', '/events', 'abc'],
    ['/events?ticket=abc&since=first', '/events?since=first', 'abc'],
    ['/events?topics=a.%23,b&ticket=a-b_c', '/events?topics=a.%23,b', 'a-b_c'],
    ['/events?TICKET=abc', '/events', 'abc'],
    ['/events?%74icke%74=a%62c', '/events', 'abc'],
    ['/events?ticket', '/events', ''],
    ['/events?ticket=a&ticket=b&x=1', '/events?x=1', 'a,b'],
    ['http://shop.example/events?ticket=abc', 'http://shop.example/events', 'abc'],
    ['/events?a=%&ticket=abc', '/events?a=%', 'abc'],
    ['/events?x=1?ticket=2&ticket=abc', '/events?x=1?ticket=2', 'abc'],
  ])('is taken out of %s', (url, rest, ticket) => {
    expect(taken(url)).toMatchObject({ url: rest, ticket });
  });

  it('is taken out of the headers of HTTP/2 as well', () => {
    const { headers } = taken('/events?ticket=abc', { ':path': '/events?ticket=abc' });
    expect(headers[':path']).toBe('/events');
  });

  it.each(['/ticket', '/events?tickets=1', '/events?x=ticket', '/events?', '/events', '/events?%', undefined])(
    'is not there in %s',
    (url) => {
      expect(taken(url)).toMatchObject({ url, ticket: undefined });
    },
  );

  it('is forgotten when its request has been decided about', () => {
    const request = { url: '/events?ticket=abc', headers: {} };
    takeTicket(request);
    forgetTicket(request);
    expect(ticketOf(request)).toBeUndefined();
  });

  it('costs a hostile URL of 64 KB a few milliseconds at most', () => {
    for (const pair of ['%74icke', 'ticket=&', '%&', '&%74icket']) {
      const url = `/events?${pair.repeat(Math.floor(65_536 / pair.length))}`;
      const since = performance.now();
      taken(url);
      expect(performance.now() - since).toBeLessThan(200);
    }
  });
});
