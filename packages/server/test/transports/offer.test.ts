import { describe, expect, it } from 'vitest';
import { compressionOffer } from '../../src/transports/websocket/compression/offer.js';

describe('an offer of permessage-deflate', () => {
  it.each([
    ['permessage-deflate'],
    // Chromium, Firefox, ws, and websockets for Python.
    ['permessage-deflate; client_max_window_bits'],
    // A client with little memory.
    ['permessage-deflate; server_max_window_bits=12; client_max_window_bits=12'],
    ['permessage-deflate;server_no_context_takeover ; client_no_context_takeover'],
    ['permessage-deflate; server_max_window_bits="15"'],
    ['x-webkit-deflate-frame, permessage-deflate'],
    // The gateway cannot satisfy the first offer; the second is its fallback (RFC 7692 section 7.1).
    ['permessage-deflate; server_max_window_bits=9, permessage-deflate'],
  ])('is accepted if it is %s', (header) => {
    expect(compressionOffer(header)).toBeDefined();
  });

  it.each([
    [undefined],
    [''],
    ['x-webkit-deflate-frame'],
    ['permessage-deflate; server_max_window_bits=11'],
    ['permessage-deflate; server_max_window_bits=8'],
    ['permessage-deflate; server_max_window_bits=16'],
    ['permessage-deflate; server_max_window_bits'],
    ['permessage-deflate; server_max_window_bits=012'],
    ['permessage-deflate; server_no_context_takeover=1'],
    ['permessage-deflate; server_no_context_takeover; server_no_context_takeover'],
    ['permessage-deflate; client_max_window_bits=many'],
    ['permessage-deflate; unheard_of'],
    ['permessage-deflate; toString'],
    ['permessage-deflate; ='],
    ['permessage-deflate, ,'],
    ['permessage-deflate; client_max_window_bits="15'],
    ['permessage-deflate; client_max_window_bits = 15'],
    ['x-foo; a= b, permessage-deflate'],
    ['permessage-deflate;\vclient_max_window_bits'],
  ])('is declined if it is %s', (header) => {
    expect(compressionOffer(header)).toBeUndefined();
  });

  it.each([
    ['permessage-deflate; client_max_window_bits', true],
    ['permessage-deflate; server_no_context_takeover', false],
    ['permessage-deflate; server_no_context_takeover, permessage-deflate', false],
    ['permessage-deflate; server_max_window_bits=9; server_no_context_takeover, permessage-deflate', true],
  ])('of %s lets the client keep its context: %s', (header, remembers) => {
    expect(compressionOffer(header)).toEqual({ remembers });
  });
});
