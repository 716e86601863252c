import type { FaultChoice } from './fault.js';

/** Revocations and blocks, which the application commits together with other changes. */
export const REVOCATIONS: readonly FaultChoice[] = [
  { kind: 'revoke', target: 'a user', weight: 3, durationMs: [1, 1], recoveryMs: 500 },
  { kind: 'block', target: 'a newcomer', weight: 2.5, durationMs: [1, 1], recoveryMs: 500 },
];
