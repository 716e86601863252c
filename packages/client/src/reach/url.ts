/**
 * Resolves a WebSocket URL as browsers do: relative to the page, with `http:` read as `ws:` and `https:` as `wss:`.
 *
 * @param given a string, or an object with `href`, such as a URL or a Location
 * @param base the base for relative URLs. Default: the base URL of the page; none in Node.js, which accepts only
 * absolute URLs
 * @throws TypeError if it is not a ws:, wss:, http: or https: URL, or if it has a fragment
 * @see https://websockets.spec.whatwg.org/#dom-websocket-websocket
 */
export function webSocketUrl(given: unknown, base = pageUrl()): string {
  const text = typeof given === 'object' && given !== null && 'href' in given ? given.href : given;
  if (typeof text === 'string' && URL.canParse(text, base)) {
    const url = new URL(text, base);
    url.protocol = url.protocol.replace(/^http/, 'ws');
    if (/^wss?:[^#]*$/.test(url.href)) return url.href;
  }
  const where = base === undefined ? ', and absolute if there is no page' : '';
  throw new TypeError(
    `url must be a ws:, wss:, http: or https: URL without a fragment${where}: ${shownUrl(JSON.stringify(text))}`,
  );
}

/** Returns the URL for a plain request, without user name and password, because `fetch` refuses those. */
export function httpUrl(webSocketUrl: string): string {
  return webSocketUrl.replace(/^ws(s?:\/\/)([^/]*@)?/, 'http$1');
}

/** Removes the query, user name and password from a URL, because they may be secret. For error messages. */
export function shownUrl(url = ''): string {
  return url.replace(/\?.*/s, '').replace(/\/\/[^/]*@/, '//');
}

function pageUrl(): string | undefined {
  return globalThis.document?.baseURI ?? globalThis.location?.href;
}
