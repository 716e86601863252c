import { decodeUtf8 } from '../../../core/json-input.js';
import type { Timers } from '../../../core/time/clock.js';
import { download, type Fetch } from '../../download.js';

/** How long a key set may take, its body included. */
const DEADLINE_MS = 5_000;

/** The most bytes of a key set, after decompression. */
const MAX_BYTES = 1_048_576;

/**
 * Fetches a JSON Web Key Set (RFC 7517 section 5).
 *
 * @param signal ends the request early
 * @returns the JSON value of the answer
 * @throws Error that says what is wrong: no answer within 5 s, another status than 200 (redirects are not followed),
 *   more than 1 MiB, or no JSON
 */
export async function fetchJwks(url: string, fetch: Fetch, timers: Timers, signal: AbortSignal): Promise<unknown> {
  const { status, bytes } = await download(url, {
    what: 'the key set',
    headers: { accept: 'application/jwk-set+json, application/json' },
    deadlineMs: DEADLINE_MS,
    maxBytes: MAX_BYTES,
    fetch,
    timers,
    signal,
  });
  if (status === 200) return parse(bytes);
  const redirect = status >= 300 && status < 400 ? ', and redirects are not followed' : '';
  throw new Error(`the address of the key set answers with status ${status}${redirect}`);
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decodeUtf8(bytes) ?? '');
  } catch {
    // The error would repeat a part of the body.
    throw new Error('the key set is not JSON');
  }
}
