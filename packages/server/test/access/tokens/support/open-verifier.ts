import { afterTest } from '../../../../../../test/support/cleanup.js';
import type { Fetch } from '../../../../src/access/download.js';
import type { IssuerOptions, TokenOptions } from '../../../../src/access/tokens/issuer-options.js';
import { TokenVerifier } from '../../../../src/access/tokens/token-verifier.js';
import { FakeClock } from '../../../core/support/fake-clock.js';
import { keptLines, NOW_MS } from './issuers.js';

/** A verifier at {@link NOW_MS}, whose clocks the test moves. It is closed after the test. */
export async function openVerifier(
  issuers: IssuerOptions | readonly IssuerOptions[],
  { fetch, ...options }: Partial<TokenOptions> & { readonly fetch?: Fetch } = {},
) {
  const clock = new FakeClock();
  const { lines, logger } = keptLines();
  const context = { clock, logger, wallClock: () => NOW_MS + clock.now(), ...(fetch ? { fetch } : {}) };
  const list = Array.isArray(issuers) ? issuers : [issuers];
  const verifier = await TokenVerifier.open({ issuers: list, ...options }, context);
  afterTest(() => verifier.close());
  return { verifier, clock, lines };
}
