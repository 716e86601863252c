import { PregonError } from '@pregon/protocol';
import type { Rights } from '../../ports/rights.js';

/** The name of a message without a name. */
const UNNAMED = 'message';

/** What a route does with a message. */
export interface MessageUse {
  /** A handler of the application gets it. */
  readonly handled: boolean;
  /** It is relayed to the other connections. */
  readonly relayed: boolean;
}

/** @throws PregonError FORBIDDEN */
export function assertMaySend(name: string | undefined, use: MessageUse, { send, broadcast }: Rights): void {
  const called = name ?? UNNAMED;
  const maySend = send === 'any' || send.has(called);
  if ((maySend || !use.handled) && (broadcast || !use.relayed) && (maySend || broadcast)) return;
  throw new PregonError('FORBIDDEN', `sending ${JSON.stringify(called.slice(0, 40))} is not allowed here`);
}
