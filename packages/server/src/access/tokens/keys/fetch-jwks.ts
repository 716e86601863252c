import { decodeUtf8 } from '../../../core/json-input.js';
import type { Timers } from '../../../core/time/clock.js';
import { within } from '../../../core/time/deadline.js';

/** How long a key set may take, its body included. */
const DEADLINE_MS = 5_000;

/** The most bytes of a key set, after decompression. */
const MOST_BYTES = 1_048_576;

export type Fetch = typeof globalThis.fetch;

/**
 * Fetches a JSON Web Key Set (RFC 7517 section 5).
 *
 * @param signal ends the request early
 * @returns the JSON value of the answer
 * @throws Error that says what is wrong: no answer within 5 s, another status than 200 (redirects are not followed),
 *   more than 1 MiB, or no JSON
 */
export async function fetchJwks(url: string, fetch: Fetch, timers: Timers, signal: AbortSignal): Promise<unknown> {
  const late = new AbortController();
  const answer = download(url, fetch, AbortSignal.any([signal, late.signal]));
  try {
    const bytes = await within(
      DEADLINE_MS,
      answer,
      () => {
        throw new Error(`the key set was not there within ${DEADLINE_MS} ms`);
      },
      timers,
    );
    return parse(bytes);
  } finally {
    late.abort();
  }
}

async function download(url: string, fetch: Fetch, signal: AbortSignal): Promise<Uint8Array> {
  const response = await fetch(url, {
    // A redirect could lead into the network of the gateway, or from https to http.
    redirect: 'manual',
    headers: { accept: 'application/jwk-set+json, application/json' },
    signal,
  });
  if (response.status !== 200) {
    const redirect = response.status >= 300 && response.status < 400 ? ', and redirects are not followed' : '';
    throw new Error(`the address of the key set answers with status ${response.status}${redirect}`);
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MOST_BYTES) throw new Error(`the key set has more than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decodeUtf8(bytes) ?? '');
  } catch {
    // The error would repeat a part of the body.
    throw new Error('the key set is not JSON');
  }
}
