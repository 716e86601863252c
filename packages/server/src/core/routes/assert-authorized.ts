import { PregonError, toError } from '@pregon/protocol';
import type { Identity } from '../ports/admission.js';
import type { Rights } from '../ports/rights.js';
import { isEverything } from '../topics/allowed-topics.js';
import type { Authorize } from './authorize.js';

/** A subscription as a connection asks for it. */
export interface AskedSubscription {
  readonly identity: Identity | undefined;
  readonly rights: Rights | undefined;
  readonly topics: readonly string[] | undefined;
  readonly snapshot: boolean;
}

/**
 * Asks the application about a subscription.
 *
 * @param onFailed called if the application throws, or answers something else than true or false
 * @throws PregonError FORBIDDEN unless it answers true
 */
export function assertAuthorized(
  authorize: Authorize,
  route: string,
  { identity, rights, topics, snapshot }: AskedSubscription,
  onFailed: (error: Error) => void,
): void {
  const asked = snapshot || isEverything(topics) ? (rights?.subscribe ?? ['#']) : topics;
  let answer: unknown;
  try {
    answer = authorize({ identity, route, topics: [...asked] });
    if (typeof answer !== 'boolean') throw new TypeError('auth.authorize must return true or false, and no promise');
  } catch (error) {
    // A rejection that nobody handles would end the process.
    if (answer instanceof Promise) answer.catch(() => {});
    onFailed(toError(error));
  }
  if (answer !== true) throw new PregonError('FORBIDDEN', 'the application does not allow these topics');
}
