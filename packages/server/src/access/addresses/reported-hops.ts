import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import type { ProxyHeader } from './client-address-options.js';

/**
 * The addresses in the header, the one that the nearest proxy added first; undefined for an element that has no address.
 *
 * The header is read from its end: each proxy appends an element, and the client itself may have sent the beginning. So
 * nothing in the beginning, such as an open quotation mark, changes how the elements of the proxies are read.
 */
export function* reportedHops(
  headers: Readonly<IncomingHttpHeaders>,
  name: ProxyHeader,
): Generator<string | undefined> {
  const value: unknown = headers[name];
  const text = Array.isArray(value) ? value.join(',') : value;
  if (typeof text !== 'string' || text === '') return;
  for (const element of elementsFromEnd(text, name === 'forwarded')) {
    yield addressIn(name === 'forwarded' ? forIn(element) : element.trim());
  }
}

/** Splits a list at its commas, last element first. @param quoted whether a comma may be in a quoted string */
function* elementsFromEnd(text: string, quoted: boolean): Generator<string> {
  let end = text.length;
  let isInQuotes = false;
  for (let at = text.length - 1; at >= 0; at--) {
    const character = text[at];
    if (character === '"' && quoted && !isEscaped(text, at)) isInQuotes = !isInQuotes;
    if (character !== ',' || isInQuotes) continue;
    yield text.slice(at + 1, end);
    end = at;
  }
  yield text.slice(0, end);
}

/** RFC 9110 section 5.6.4: a quotation mark after a backslash does not end a quoted string. */
function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (first > 0 && text[first - 1] === '\\') first -= 1;
  return (at - first) % 2 === 1;
}

/** `name=value`, and what separates it from the next pair (RFC 7239 section 4). */
const PAIR = /\s*([!#$%&'*+\-.^_`|~\w]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))\s*(?:;|$)/y;

/**
 * The value of `for`. Pairs are read in order, so that a quoted value that contains `;for=` counts as that value only.
 *
 * @returns the empty string if there is none, if there are two, or if the element is not well-formed
 */
function forIn(element: string): string {
  let found: string | undefined;
  PAIR.lastIndex = 0;
  while (PAIR.lastIndex < element.length) {
    const [, name = '', quoted, token = ''] = PAIR.exec(element) ?? [];
    if (name === '') return '';
    if (name.toLowerCase() !== 'for') continue;
    if (found !== undefined) return '';
    found = quoted === undefined ? token : quoted.replaceAll(/\\(.)/g, '$1');
  }
  return found ?? '';
}

/** An address, in brackets if it is followed by a port; some proxies add the port to an IPv4 address as well. */
const WITH_PORT = /^(?:\[([^\]]*)\]|(\d[\d.]*))(?::\d{1,5})?$/;

/** @returns undefined for `unknown`, obfuscated names, and anything else that is not an address */
function addressIn(text: string): string | undefined {
  const [, bracketed, v4] = WITH_PORT.exec(text) ?? [];
  const address = bracketed ?? v4 ?? text;
  return isIP(address) === 0 ? undefined : address.replace(/%.*$/, '').toLowerCase();
}
