import type { LoadResult } from '../../load/result.js';
import type { Flags } from '../flags.js';

/**
 * A sentence that says where to look if no published event arrived on any connection; otherwise undefined. The cause is
 * then a setting, not a loss: the gateway reads other exchanges, or another log.
 */
export function hintFor({ published, delivered, connections }: LoadResult, flags: Flags): string | undefined {
  if (!published || published.events === 0 || delivered.expected === 0 || delivered.events > 0) return undefined;
  if (connections.openAtEnd === 0) return undefined;
  const exchange = flags.text('exchange');
  const route = 'does the route carry it ("exchanges:" and "topics:" of the route in pregon.yml)?';
  if (exchange === undefined) {
    return `no published event arrived on any connection: does the HTTP port in --publish belong to the same gateway, and ${route}`;
  }
  const log = flags.text('log') === undefined ? 'is its log the one of this command (--log)' : 'is --log its log';
  return `no event of the exchange "${exchange}" arrived on any connection: does the gateway read it (the row "exchanges" of its first lines; --exchange=${exchange} of pregon run), ${log}, and ${route}`;
}
