import { setImmediate as nextTurn } from 'node:timers/promises';
import { messageOf, PregonError } from '@pregon/protocol';
import { tooLarge } from '../../core/snapshots/row-chunks.js';
import type { ChunkedSnapshot, SnapshotSource } from '../../core/snapshots/snapshot.js';
import { readAnswer } from './snapshot-answer.js';
import { SNAPSHOT_TIMEOUT_MS } from './snapshot-in-time.js';
import type { SnapshotTokens } from './snapshot-tokens.js';

/**
 * A response of up to this many bytes is parsed on the main thread: that takes a few milliseconds, less than starting a
 * worker thread.
 */
const PARSED_IN_PLACE = 262_144;

/** How many bytes of a body are read in one event loop turn; the rest waits in its socket. */
const READ_AT_ONCE = 131_072;

export interface SnapshotSettings {
  /** The largest answer of a URL that is read. */
  readonly maxBytes: number;
  /** Signs the requests to URLs; undefined if there is no secret. */
  readonly tokens: SnapshotTokens | undefined;
}

interface Body {
  readonly pieces: readonly Uint8Array<ArrayBuffer>[];
  readonly bytes: number;
}

/**
 * Reads snapshots from an application that answers with `{ rows, sequence, source?, relayed? }` as JSON. Large
 * responses are parsed in a worker thread; its module is loaded for the first of them. A user and password in the URL
 * are sent as `Authorization: Basic` (RFC 7617). With a secret, each request has a token that says what it is for, as
 * `Authorization: Bearer` (RFC 6750). Errors show neither of them, nor the query.
 *
 * @param at where the address is in the options, for errors
 * @throws TypeError if the address is not an http or https URL, or has a password beside a secret
 */
export function snapshotFrom(at: string, address: string, { maxBytes, tokens }: SnapshotSettings): SnapshotSource {
  const { url, basic } = parseAddress(at, address);
  if (basic !== undefined && tokens) {
    throw new TypeError(`${at}: remove the password from the URL, since snapshotSecret signs the requests instead`);
  }
  const shown = url.origin + url.pathname;
  return async (request) => {
    const signal = AbortSignal.timeout(SNAPSHOT_TIMEOUT_MS);
    const authorization = tokens ? `Bearer ${await tokens.sign(shown, request)}` : basic;
    const headers = { accept: 'application/json', ...(authorization === undefined ? {} : { authorization }) };
    const response = await fetch(url, { headers, signal }).catch((cause: unknown) => {
      throw new PregonError('SNAPSHOT_UNAVAILABLE', `${shown} does not answer: ${reasonOf(cause)}`, { cause });
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw new PregonError('SNAPSHOT_UNAVAILABLE', `${shown} answered ${response.status}`);
    }
    const body = await readBody(response, maxBytes);
    return parse(body, maxBytes, signal).catch((cause: unknown) => {
      throw new PregonError(
        'SNAPSHOT_UNAVAILABLE',
        `${shown} did not answer with a snapshot: ${reasonOf(cause)}; it must answer {rows, sequence} as JSON, as outbox.snapshot makes it`,
        { cause },
      );
    });
  };
}

async function parse({ pieces, bytes }: Body, maxBytes: number, signal: AbortSignal): Promise<ChunkedSnapshot> {
  if (bytes > PARSED_IN_PLACE) {
    const { parseInWorker } = await import('./parse-in-worker.js');
    return parseInWorker(pieces, maxBytes, signal);
  }
  return readAnswer(Buffer.concat(pieces), maxBytes);
}

/** @throws PregonError SNAPSHOT_UNAVAILABLE as soon as the body exceeds `maxBytes` */
async function readBody({ body }: Response, maxBytes: number): Promise<Body> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  let bytesInTurn = 0;
  for await (const piece of body ?? []) {
    bytes += piece.length;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    // A copy has memory of its own, which can be transferred to another thread.
    pieces.push(new Uint8Array(piece));
    bytesInTurn += piece.length;
    if (bytesInTurn < READ_AT_ONCE) continue;
    bytesInTurn = 0;
    await nextTurn();
  }
  return { pieces, bytes };
}

/** An invalid URL is not shown in the error: it may still contain a password. */
function parseAddress(at: string, address: string): { url: URL; basic: string | undefined } {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw new TypeError(`${at} must be an http:// or https:// URL`);
  const { username, password } = url;
  url.username = '';
  url.password = '';
  if (username === '' && password === '') return { url, basic: undefined };
  const credentials = `${decode(username)}:${decode(password)}`;
  return { url, basic: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The message of `fetch` is only "fetch failed"; its cause says why. */
function reasonOf(error: unknown): string {
  return messageOf(error instanceof Error && error.cause instanceof Error ? error.cause : error);
}
