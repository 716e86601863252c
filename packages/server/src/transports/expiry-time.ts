import type { Identity } from '../core/ports/admission.js';

/**
 * When the rights of an identity end, by the gateway's clock. Later changes of the time of day do not move it.
 *
 * @param now the time by the gateway's clock, in milliseconds
 * @returns undefined if they do not end
 */
export function expiryTime(identity: Identity | undefined, now: number): number | undefined {
  return identity?.expiresAtMs === undefined ? undefined : now + identity.expiresAtMs - Date.now();
}
