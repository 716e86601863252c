import type { IncomingMessage } from 'node:http';
import { BoundedMap } from '../../core/bounded-map.js';

const MOST_KEPT = 1_000;
const LONGEST_KEPT = 300;

/** Headers whose values differ for each client; some are secrets. */
const OWN: ReadonlySet<string> = new Set(['sec-websocket-key', 'cookie', 'authorization']);

const kept = new BoundedMap<string, string>(MOST_KEPT);

/**
 * Returns an equal string, usually the one that other clients already hold: header names, and most header values, are
 * the same for all clients.
 */
export function intern(text: string): string {
  if (text.length > LONGEST_KEPT) return text;
  const known = kept.get(text);
  if (known !== undefined) return known;
  kept.set(text, text);
  return text;
}

/** Interns the strings of a request that is kept as long as its connection lives. */
export function internRequest(request: IncomingMessage): void {
  const { rawHeaders } = request;
  internUrlAndHeaders(request);
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    rawHeaders[at] = intern(name);
    if (!OWN.has(name.toLowerCase())) rawHeaders[at + 1] = intern(rawHeaders[at + 1] ?? '');
  }
}

/** The same for a request of which only the URL and the headers are kept. */
export function internUrlAndHeaders(request: IncomingMessage): void {
  const { headers } = request;
  if (request.url !== undefined) request.url = intern(request.url);
  for (const name in headers) {
    const value = headers[name];
    if (typeof value === 'string' && !OWN.has(name)) headers[name] = intern(value);
  }
}
