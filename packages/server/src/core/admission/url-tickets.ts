/** The part of a `node:http` request that holds its target. */
export interface TargetedRequest {
  url?: string | undefined;
  readonly headers: object;
}

const NAME = 'ticket';

/** The tickets that were taken out of the URLs of requests. */
const taken = new WeakMap<object, string>();

/**
 * Takes the ticket out of the URL of a request, before anything reads it: handlers, log lines and Socket.IO's
 * `handshake.query` then cannot contain it. Names are compared after decoding, in any case.
 */
export function takeTicket(request: TargetedRequest): void {
  const { url = '' } = request;
  const start = url.indexOf('?');
  // Most queries have no such name, however it is encoded: nothing is decoded for them.
  if (start === -1 || !/ticket|%/i.test(url.slice(start))) return;
  const pairs = url.slice(start + 1).split('&');
  const rest = pairs.filter((pair) => !isTicket(pair));
  if (rest.length === pairs.length) return;
  const found = pairs.filter(isTicket).map((pair) => new URLSearchParams(pair).values().next().value ?? '');
  // No ticket has a comma: two of them are not a ticket.
  taken.set(request, found.join(','));
  request.url = rest.length === 0 ? url.slice(0, start) : `${url.slice(0, start)}?${rest.join('&')}`;
  // HTTP/2 keeps the target among the headers (RFC 9113 section 8.3.1).
  if (':path' in request.headers) Reflect.set(request.headers, ':path', request.url);
}

/** The ticket that {@link takeTicket} found; undefined if there was none. */
export function ticketOf(request: object): string | undefined {
  return taken.get(request);
}

/** Forgets the ticket of a request that has been decided about: a connection keeps its request. */
export function forgetTicket(request: object): void {
  taken.delete(request);
}

function isTicket(pair: string): boolean {
  const [name] = pair.split('=', 1);
  if (name === undefined || !/ticket|%/i.test(name)) return false;
  const [[decoded] = ['']] = new URLSearchParams(name);
  return decoded.toLowerCase() === NAME;
}
