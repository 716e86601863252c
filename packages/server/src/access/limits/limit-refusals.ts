import { CLOSE_CODES } from '@pregon/protocol';
import type { Identity, Refusal } from '../../core/ports/admission.js';

/** When a client may try again whose place becomes free only if another connection closes. */
const CONNECTIONS_RETRY_MS = 10_000;

const WAITING_RETRY_MS = 1_000;

const BEHIND_PROXY = 'if it is a proxy, add it to trustedProxies; if it may have more, add it to exemptAddresses';

/** What the client is told, and how the log line goes on. */
export function tooManyConnections(address: string, most: number): Refusal {
  const remedy = `${address} has ${most}: ${BEHIND_PROXY}, or raise maxConnectionsPerAddress`;
  return limited('address connections', 'too many connections from this address', remedy, CONNECTIONS_RETRY_MS);
}

export function tooManyHandshakes(address: string, retryAfterMs: number): Refusal {
  const remedy = `the address is ${address}: ${BEHIND_PROXY}, or raise maxHandshakesPerSecond`;
  return limited('address handshakes', 'too many new connections from this address', remedy, retryAfterMs);
}

export function tooManyFailures(address: string, retryAfterMs: number): Refusal {
  const remedy = `the address is ${address}: ${BEHIND_PROXY}, or raise maxFailedAuthenticationsPerMinute`;
  return limited('address failures', 'too many refused tokens from this address', remedy, retryAfterMs);
}

export function tooManyWaiting(address: string, most: number): Refusal {
  const remedy = `${most} of ${address} wait for the decision of an admission, or have not shown their token yet: ${BEHIND_PROXY}, or raise maxPendingPerAddress`;
  return limited('address pending', 'too many clients of this address wait to be admitted', remedy, WAITING_RETRY_MS);
}

export function tooManyOfIdentity({ iss, sub }: Identity, most: number): Refusal {
  const who = `${JSON.stringify(sub)} of ${JSON.stringify(iss)}`;
  const remedy = `${who} has ${most}: give the rule of a service kind: service, or raise maxConnectionsPerIdentity`;
  return limited('identity connections', 'too many connections of this identity', remedy, CONNECTIONS_RETRY_MS);
}

function limited(reason: string, message: string, remedy: string, retryAfterMs: number): Refusal {
  // RFC 9110 section 10.2.3: in whole seconds.
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1_000));
  const close = { ...CLOSE_CODES.RATE_LIMITED, reason: message };
  return { status: 429, reason, message, remedy, close, headers: { 'Retry-After': `${seconds}` } };
}
