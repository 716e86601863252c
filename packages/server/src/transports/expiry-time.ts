import { warningTime } from '../core/connections/expiry.js';
import type { Identity } from '../core/ports/admission.js';
import type { Link } from '../core/ports/link.js';

/**
 * When the rights of an identity end, by the gateway's clock. Setting the time of day back does not extend them; that
 * they may end earlier by the time of day is for `Expiry`.
 *
 * @param now the time by the gateway's clock, in milliseconds
 * @returns undefined if they do not end
 */
export function expiryTime(identity: Identity | undefined, now: number): number | undefined {
  return identity?.expiresAtMs === undefined ? undefined : now + identity.expiresAtMs - Date.now();
}

/**
 * When the rights of an identity end, and when the client is told that they end soon. Only clients of `pregon.v1` can
 * show another token in time.
 *
 * @param now the time by the gateway's clock, in milliseconds
 */
export function accessTimes(
  identity: Identity | undefined,
  { transport }: Pick<Link, 'transport'>,
  now: number,
): { readonly expiresAt?: number; readonly warnsAt?: number } {
  const expiresAt = expiryTime(identity, now);
  if (expiresAt === undefined) return {};
  return transport === 'pregon.v1' ? { expiresAt, warnsAt: warningTime(expiresAt, now) } : { expiresAt };
}
