import { PregonError } from '@pregon/protocol';
import type { TokenOptions } from '../../access/tokens/issuer-options.js';
import { isTokenRefusal } from '../../access/tokens/token-refusal.js';
import { TokenVerifier } from '../../access/tokens/token-verifier.js';
import type { Configuration } from '../../config/configuration.js';
import type { Identity } from '../../core/ports/admission.js';
import { systemClock } from '../../core/time/clock.js';
import { complain } from '../terminal/output.js';

/** @throws PregonError CONFIG_INVALID if the configuration has no issuers of tokens */
export function authOf({ auth, file }: Configuration): TokenOptions {
  if (auth?.issuers) return { ...auth, issuers: auth.issuers };
  if (auth) {
    const remedy = 'the application decides about each client, and there are no tokens to check';
    throw new PregonError('CONFIG_INVALID', `${file} has "auth.hook": ${remedy}`);
  }
  const where = file === undefined ? 'there is no configuration file' : `${file} has no "auth"`;
  throw new PregonError('CONFIG_INVALID', `${where}: add the issuers of tokens to it, or name it with --config=FILE`);
}

/**
 * Verifies a token as a gateway would.
 *
 * @throws PregonError FORBIDDEN if it is refused, with the reason; CONFIG_INVALID if a key file cannot be used
 */
export async function verifyToken(auth: TokenOptions, token: string): Promise<Identity> {
  const logger = {
    info() {},
    warn(fields: object, message: string) {
      const details = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
      complain(`pregon: ${message} (${details.join(' ')})`);
    },
  };
  const verifier = await TokenVerifier.open(auth, { clock: systemClock, logger });
  try {
    const result = await verifier.verify(token);
    if (!isTokenRefusal(result)) return result;
    const remedy = result.remedy === undefined ? '' : `; ${result.remedy}`;
    throw new PregonError('FORBIDDEN', `${result.message}${remedy}`);
  } finally {
    verifier.close();
  }
}
