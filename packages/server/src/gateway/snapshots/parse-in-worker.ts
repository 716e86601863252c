import { Worker } from 'node:worker_threads';
import type { ChunkedSnapshot } from '../../core/snapshots/snapshot.js';
import type { SnapshotWork, SnapshotWorkerMessage } from './snapshot-worker.js';

/**
 * Parses and encodes a large response in a worker thread. The thread lives for this one snapshot, which all clients
 * that ask meanwhile share. It does not keep the process alive.
 *
 * @param pieces the body of the response; the thread takes ownership, so it must not be used afterwards
 * @throws Error that says what is wrong with the response, or that it took too long
 */
export async function parseInWorker(
  pieces: readonly Uint8Array<ArrayBuffer>[],
  maxBytes: number,
  signal: AbortSignal,
): Promise<ChunkedSnapshot> {
  const workerData: SnapshotWork = { pieces, maxBytes };
  const worker = new Worker(new URL('./snapshot-worker.js', import.meta.url), {
    workerData,
    transferList: pieces.map(({ buffer }) => buffer),
    name: 'pregon snapshot',
  });
  worker.unref();
  try {
    return await takeChunks(worker, signal);
  } finally {
    void worker.terminate();
  }
}

function takeChunks(worker: Worker, signal: AbortSignal): Promise<ChunkedSnapshot> {
  return new Promise((resolve, reject) => {
    const chunks: string[] = [];
    const fail = (why: string, cause?: unknown) => reject(new Error(why, { cause }));
    worker.on('message', (message: SnapshotWorkerMessage) => {
      if (message.kind === 'failed') return fail(message.why);
      if (message.kind === 'end') return resolve({ ...message.metadata, chunks });
      chunks.push(...message.chunks);
      worker.postMessage('more');
    });
    worker.once('error', (error) => fail('the thread that reads the snapshot failed', error));
    worker.once('exit', () => fail('the thread that reads the snapshot ended'));
    signal.addEventListener('abort', () => fail('the snapshot was not read in time', signal.reason), { once: true });
    worker.postMessage('more');
  });
}
