import { setImmediate as nextTurn } from 'node:timers/promises';
import { messageOf, PregonError } from '@pregon/protocol';
import { tooLarge } from '../../core/snapshots/row-chunks.js';
import type { ChunkedSnapshot, SnapshotSource } from '../../core/snapshots/snapshot.js';
import { readAnswer } from './snapshot-answer.js';
import { SNAPSHOT_TIMEOUT_MS } from './snapshot-in-time.js';

/** Up to so many bytes an answer is parsed in place: that takes some milliseconds, and a thread takes longer to start. */
const PARSED_IN_PLACE = 262_144;

/** How much of a body is read in one turn of the event loop: what is behind it waits in its socket. */
const READ_AT_ONCE = 131_072;

interface Body {
  readonly pieces: readonly Uint8Array<ArrayBuffer>[];
  readonly bytes: number;
}

/**
 * Reads snapshots from an application that answers `{ rows, sequence, source?, relayed? }` as JSON; large answers in a worker thread, which
 * is loaded for the first of them. A user and password in the URL are sent as `Authorization: Basic` (RFC 7617); neither they nor the
 * query are part of an error.
 *
 * @param maxBytes the largest answer that is read
 * @throws TypeError if it is not a URL of http or https
 */
export function snapshotFrom(address: string, maxBytes: number): SnapshotSource {
  const { url, authorization } = parseAddress(address);
  const shown = url.origin + url.pathname;
  const headers = { accept: 'application/json', ...(authorization === undefined ? {} : { authorization }) };
  return async () => {
    const signal = AbortSignal.timeout(SNAPSHOT_TIMEOUT_MS);
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
        `${shown} answered no snapshot: ${reasonOf(cause)}; it must answer {rows, sequence} as JSON, as outbox.snapshot makes it`,
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

/** @throws PregonError SNAPSHOT_UNAVAILABLE as soon as there is more than is read */
async function readBody({ body }: Response, maxBytes: number): Promise<Body> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  let bytesInTurn = 0;
  for await (const piece of body ?? []) {
    bytes += piece.length;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    // A copy has memory of its own, which can be handed to another thread.
    pieces.push(new Uint8Array(piece));
    bytesInTurn += piece.length;
    if (bytesInTurn < READ_AT_ONCE) continue;
    bytesInTurn = 0;
    await nextTurn();
  }
  return { pieces, bytes };
}

/** What is no URL is not shown: it may hold a password all the same. */
function parseAddress(address: string): { url: URL; authorization: string | undefined } {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw new TypeError('snapshot: must be an http:// or https:// URL');
  const { username, password } = url;
  url.username = '';
  url.password = '';
  if (username === '' && password === '') return { url, authorization: undefined };
  const credentials = `${decode(username)}:${decode(password)}`;
  return { url, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: unknown): string {
  return messageOf(error instanceof Error && error.cause instanceof Error ? error.cause : error);
}
