import type { PregonEvent } from '../event.js';
import { RESERVED_EXCHANGE } from './reserved-exchange.js';
import { joinRevocations, parseRevocation, type Revocation, revocationKey } from './revocation.js';

/** The part of a log that keeps revocations; `Log` of the package `pregon` has it. */
export interface RevocationLog {
  readonly kept: {
    put(key: string, value: string, options?: { readonly expiresAt?: number }): Promise<unknown>;
    delete(key: string): Promise<unknown>;
    all(): Promise<ReadonlyMap<string, { readonly value: string; readonly expiresAt: number | undefined }>>;
  };
  append(events: readonly PregonEvent[], options?: { readonly points?: boolean }): Promise<unknown>;
}

export interface RecordOptions {
  /** Unique. A revocation that is recorded again with the same id is one event. */
  readonly id: string;
  /** How long tokens are valid at most. A revocation is kept for this time. @default 86400000 (24 h) */
  readonly maxTokenLifetimeMs?: number | undefined;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly nowMs: number;
}

/** The default of `maxTokenLifetimeMs` of a gateway: 24 hours. */
export const DEFAULT_MAX_TOKEN_LIFETIME_MS = 86_400_000;

/** How much longer than a token its revocation is kept, because clocks differ. */
const MARGIN_MS = 60_000;

const EVENT_TYPES = {
  subject: 'IdentityWasRevoked',
  token: 'TokenWasRevoked',
  issuer: 'IssuerWasRevoked',
  block: 'IdentityWasBlocked',
  unblock: 'IdentityWasUnblocked',
} as const satisfies Record<Revocation['kind'], string>;

/**
 * Records a revocation in a log. It is kept first, and then appended: a gateway that has read the event knows that every
 * gateway that starts later will find the kept value. When this resolves, both are durable.
 *
 * If it rejects, the revocation may be kept and not appended. Recording it again is safe.
 *
 * @throws PregonError KEPT_FULL | CONFIG_INVALID if this process has no permission to write | LOG_UNAVAILABLE | LOG_CLOSED
 */
export async function recordRevocation(
  log: RevocationLog,
  revocation: Revocation,
  options: RecordOptions,
): Promise<void> {
  await keep(log.kept, revocation, options);
  await log.append([eventOf(revocation, options.id)], { points: false });
}

/** When a revocation is no longer needed, in milliseconds since 1970-01-01 UTC: the tokens that it ends have expired. */
export function endOfRevocation(revocation: Revocation, maxTokenLifetimeMs = DEFAULT_MAX_TOKEN_LIFETIME_MS): number {
  if (revocation.kind === 'block') return Math.ceil(revocation.untilMs);
  const lastIssuedMs = revocation.kind === 'issuer' ? revocation.beforeMs : revocation.atMs;
  return Math.ceil(lastIssuedMs + maxTokenLifetimeMs + MARGIN_MS);
}

async function keep(
  kept: RevocationLog['kept'],
  revocation: Revocation,
  { nowMs, maxTokenLifetimeMs }: RecordOptions,
): Promise<void> {
  const key = revocationKey(revocation);
  if (revocation.kind === 'unblock') {
    await kept.delete(key);
    return;
  }
  const known = (await kept.all()).get(key);
  const stored = known ? joined(known.value, revocation) : revocation;
  const end = endOfRevocation(stored, maxTokenLifetimeMs);
  // A gateway with a longer lifetime of tokens may have extended it.
  const expiresAt = stored.kind === 'block' ? end : Math.max(end, known?.expiresAt ?? 0);
  if (expiresAt > nowMs) await kept.put(key, JSON.stringify(stored), { expiresAt });
}

function joined(keptText: string, revocation: Revocation): Revocation {
  try {
    return joinRevocations(parseRevocation(JSON.parse(keptText)), revocation);
  } catch {
    // A value that no release can read has no effect.
    return revocation;
  }
}

function eventOf(revocation: Revocation, id: string): PregonEvent {
  return {
    specversion: '1.0',
    id,
    source: '/pregon',
    type: EVENT_TYPES[revocation.kind],
    time: new Date(revocation.atMs).toISOString(),
    datacontenttype: 'application/json',
    data: revocation,
    topic: 'revocation',
    exchange: RESERVED_EXCHANGE,
  };
}
