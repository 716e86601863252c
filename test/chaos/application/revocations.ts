import type { BlockTarget } from '@pregon/outbox';
import { ISSUER } from '../rights.js';
import type { RevocationKind } from '../verification/truth.js';
import type { Store, Transaction } from './store.js';

/** Longer than a run. */
const BLOCK_MS = 86_400_000;

/** What an outbox is told about a user. */
export function blockTarget(user: string): BlockTarget {
  return { iss: ISSUER, sub: user, until: Date.now() + BLOCK_MS };
}

/**
 * Revokes the tokens of a user, or blocks the user, in the transaction of other work.
 *
 * @param work changes rows, and may reject to roll back
 */
export async function revoke(
  store: Store,
  kind: RevocationKind,
  user: string,
  work: (tx: Transaction) => Promise<void>,
): Promise<void> {
  await store.transaction(async (tx) => {
    await tx.revoke(kind, user);
    await work(tx);
  });
  await noteCommitted(store);
}

/** Records for every committed revocation that it is committed by now. After a kill, the next process does it. */
export function noteCommitted(store: Store): Promise<void> {
  return store.transaction(async (tx) => {
    const rows = await tx.run('SELECT n FROM revocations WHERE committed_by IS NULL');
    // Read after the rows, so that it is not before any of their commits.
    const now = Date.now();
    for (const { n } of rows) await tx.run('UPDATE revocations SET committed_by = ? WHERE n = ?', now, Number(n));
  });
}
