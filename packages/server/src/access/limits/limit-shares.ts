import { PERIOD_MS } from '../../core/counts/counts.js';
import type { ClientLimitOptions } from './client-limit-options.js';

/**
 * The most time for which the uses of other processes can close a rate. Each process can use the whole rate until it
 * learns of the others, which takes two periods; the debt makes up for that among up to 30 processes.
 */
export const MAX_SHARED_DEBT_MS = 30_000;

/** The part of a process in a limit that it may use without a word to the others. */
const UNSHARED_PART = 0.1;

/** Above which count a process shares it with the others. */
export interface LimitShares {
  readonly addresses: number;
  readonly identities: number;
  readonly handshakes: number;
  readonly failures: number;
}

/**
 * Small counts are not shared, so that clients with one connection each, however many, cost no message. All processes
 * together can exceed a limit by a tenth for this reason.
 */
export function limitShares(limits: Required<ClientLimitOptions>, processes: number): LimitShares {
  const share = (limit: number) =>
    limit === 0 ? Number.POSITIVE_INFINITY : Math.floor((limit * UNSHARED_PART) / processes);
  const periodsPerSecond = 1_000 / PERIOD_MS;
  return {
    addresses: share(limits.maxConnectionsPerAddress),
    identities: share(limits.maxConnectionsPerIdentity),
    handshakes: share(limits.maxHandshakesPerSecond / periodsPerSecond),
    failures: share(limits.maxFailedAuthenticationsPerMinute / 60 / periodsPerSecond),
  };
}
