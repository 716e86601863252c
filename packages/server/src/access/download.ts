import type { Timers } from '../core/time/clock.js';
import { within } from '../core/time/deadline.js';

export type Fetch = typeof globalThis.fetch;

export interface DownloadOptions {
  /** Names what is fetched, in errors: `the key set`. */
  readonly what: string;
  readonly headers: Readonly<Record<string, string>>;
  /** How long the answer may take, its body included, in milliseconds. */
  readonly deadlineMs: number;
  /** The most bytes of the body, after decompression. */
  readonly maxBytes: number;
  readonly fetch: Fetch;
  readonly timers: Timers;
  /** Ends the request early. */
  readonly signal: AbortSignal;
}

export interface Downloaded {
  readonly status: number;
  /** Empty unless the status is 200. */
  readonly bytes: Uint8Array;
}

/**
 * Gets a small document from another server, within a deadline. Redirects are not followed: one could lead into the
 * network of the gateway, or from https to http.
 *
 * @throws Error that says what is wrong: no answer in time, or too many bytes
 */
export async function download(url: string, options: DownloadOptions): Promise<Downloaded> {
  const { what, deadlineMs, timers, signal } = options;
  const late = new AbortController();
  const answer = read(url, options, AbortSignal.any([signal, late.signal]));
  const onLate = () => {
    throw new Error(`${what} was not there within ${deadlineMs} ms`);
  };
  try {
    return await within(deadlineMs, answer, onLate, timers);
  } finally {
    late.abort();
  }
}

async function read(
  url: string,
  { what, headers, fetch, maxBytes }: DownloadOptions,
  signal: AbortSignal,
): Promise<Downloaded> {
  const response = await fetch(url, { redirect: 'manual', headers, signal });
  const { status, body } = response;
  if (status !== 200) {
    await body?.cancel();
    return { status, bytes: new Uint8Array() };
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > maxBytes) throw new Error(`${what} has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return { status, bytes: Buffer.concat(chunks) };
}
