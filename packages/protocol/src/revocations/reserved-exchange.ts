import { PregonError } from '../errors.js';

/**
 * The exchange of events that outboxes and gateways write for all gateways, such as revocations. No route carries it, and
 * applications cannot publish to it.
 */
export const RESERVED_EXCHANGE = '$pregon';

/**
 * Refuses an event of an application for {@link RESERVED_EXCHANGE}.
 *
 * @throws PregonError EVENT_INVALID
 * @example
 * assertNotReserved(event.exchange);
 */
export function assertNotReserved(exchange: string): void {
  if (exchange !== RESERVED_EXCHANGE) return;
  throw new PregonError(
    'EVENT_INVALID',
    `the exchange ${RESERVED_EXCHANGE} is reserved for revocations: publish to another one, or call revoke or block`,
  );
}
