import type { ChunkedSnapshot } from '../../core/snapshots/snapshot.js';

/** What the worker thread is started with. */
export interface SnapshotWork {
  /** The answer's body, in order. */
  readonly pieces: readonly Uint8Array[];
  readonly maxBytes: number;
}

/** What the worker thread says: some chunks each time that it is asked for more, and with the last of them what they stand for. */
export type SnapshotWorkerMessage =
  | { readonly kind: 'chunks'; readonly chunks: readonly string[] }
  | { readonly kind: 'end'; readonly standing: Omit<ChunkedSnapshot, 'chunks'> }
  | { readonly kind: 'failed'; readonly why: string };
