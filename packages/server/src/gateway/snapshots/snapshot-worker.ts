import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '@pregon/protocol';
import type { ChunkedSnapshot } from '../../core/snapshots/snapshot.js';
import { readAnswer } from './snapshot-answer.js';

/** What the worker thread is started with. */
export interface SnapshotWork {
  /** The answer's body, in order. */
  readonly pieces: readonly Uint8Array[];
  readonly maxBytes: number;
}

/** What the worker thread says: some chunks each time that it is asked for more, and with the last of them what they stand for. */
export type SnapshotWorkerMessage =
  | { readonly kind: 'chunks'; readonly chunks: readonly string[] }
  | { readonly kind: 'end'; readonly metadata: Omit<ChunkedSnapshot, 'chunks'> }
  | { readonly kind: 'failed'; readonly why: string };

/** So many chunks go in one message: to take them, the main thread copies half a megabyte. */
const CHUNKS_AT_ONCE = 8;

/** The main thread asks for more when it has taken a message: all at once, it would take them in one turn of its event loop. */
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
