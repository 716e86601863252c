import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '@pregon/protocol';
import type { ChunkedSnapshot } from '../../core/snapshots/snapshot.js';
import { readAnswer } from './snapshot-answer.js';

/** The input of the worker thread. */
export interface SnapshotWork {
  /** The body of the response, in order. */
  readonly pieces: readonly Uint8Array[];
  readonly maxBytes: number;
}

/**
 * The messages of the worker thread: some chunks for each request of the main thread, and after the last chunks the
 * metadata.
 */
export type SnapshotWorkerMessage =
  | { readonly kind: 'chunks'; readonly chunks: readonly string[] }
  | { readonly kind: 'end'; readonly metadata: Omit<ChunkedSnapshot, 'chunks'> }
  | { readonly kind: 'failed'; readonly why: string };

/** How many chunks are in one message: to receive them, the main thread copies half a megabyte. */
const CHUNKS_AT_ONCE = 8;

/**
 * The main thread requests the next message after it has received one. Otherwise it would receive all of them in one
 * event loop turn.
 */
function* work({ pieces, maxBytes }: SnapshotWork): Generator<SnapshotWorkerMessage> {
  const { chunks, ...metadata } = readAnswer(Buffer.concat(pieces), maxBytes);
  for (let at = 0; at < chunks.length; at += CHUNKS_AT_ONCE) {
    yield { kind: 'chunks', chunks: chunks.slice(at, at + CHUNKS_AT_ONCE) };
  }
  yield { kind: 'end', metadata };
}

const port = parentPort;
if (!port) throw new TypeError('this module is the entry point of a worker thread');
const messages = work(workerData);

port.on('message', () => {
  port.postMessage(next());
});

function next(): SnapshotWorkerMessage | undefined {
  try {
    const { value } = messages.next();
    return value ?? undefined;
  } catch (error) {
    return { kind: 'failed', why: messageOf(error) };
  }
}
