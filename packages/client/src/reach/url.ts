/**
 * The URL for a WebSocket, read as browsers read it: relative to the page, `http:` as `ws:` and `https:` as `wss:`.
 *
 * @param given a string, or an object with `href`, such as a URL or a Location
 * @param base resolves relative URLs. @default the base URL of the page; none in Node, which takes absolute URLs only
 * @throws TypeError if it is not such a URL
 * @see https://websockets.spec.whatwg.org/#dom-websocket-websocket
 */
export function webSocketUrl(given: unknown, base = pageUrl()): string {
  const text = typeof given === 'object' && given !== null && 'href' in given ? given.href : given;
  if (typeof text === 'string' && URL.canParse(text, base)) {
    const url = new URL(text, base);
    url.protocol = url.protocol.replace(/^http/, 'ws');
    if (/^wss?:[^#]*$/.test(url.href)) return url.href;
  }
  const where = base === undefined ? ', and absolute where there is no page' : '';
  throw new TypeError(
    `url must be a ws:, wss:, http: or https: URL without a fragment${where}: ${shownUrl(JSON.stringify(text))}`,
  );
}

/** The same URL for a plain request, without user name and password, which `fetch` refuses. */
export function httpUrl(webSocketUrl: string): string {
  return webSocketUrl.replace(/^ws(s?:\/\/)([^/]*@)?/, 'http$1');
}

/** A URL without its query, user name and password, which may be secret, for errors. */
export function shownUrl(url = ''): string {
  return url.replace(/\?.*/s, '').replace(/\/\/[^/]*@/, '//');
}

function pageUrl(): string | undefined {
  return globalThis.document?.baseURI ?? globalThis.location?.href;
}
