import { type AuthFrame, PregonError } from '@pregon/protocol';
import { isRefusal, type Verdict } from '../../core/admission/decision.js';
import { closeCodeOfRefusal, errorOfRefusal } from '../../core/admission/refusal-codes.js';
import type { ClientConnection } from '../../core/connections/client-connection.js';
import type { ClientRegistry } from '../client-registry.js';
import { logRefusal } from '../http/refusal.js';

/** Handles the `auth` frames of open connections. */
export class TokenFrames {
  readonly #registry: ClientRegistry;

  constructor(registry: ClientRegistry) {
    this.#registry = registry;
  }

  /**
   * Verifies the token. No further frame of the client is read before the decision, so that each frame is handled under
   * the rights of the token before it.
   *
   * @param isFirst whether it is the first frame of the client. Such a token counts like one in the header of the
   * handshake: if it is refused, the client is refused, and not treated as anonymous
   * @throws PregonError RATE_LIMITED
   */
  receive(connection: ClientConnection, frame: AuthFrame, isFirst: boolean): void {
    connection.beginAuthorization();
    const verdict = this.#registry.decideToken(connection, frame.token, () => !connection.isOpen);
    if (verdict instanceof Promise) void verdict.then((late) => this.#decided(connection, frame, isFirst, late));
    else this.#decided(connection, frame, isFirst, verdict);
  }

  #decided(connection: ClientConnection, frame: AuthFrame, isFirst: boolean, verdict: Verdict): void {
    if (!connection.isOpen) return;
    try {
      this.#settle(connection, frame, isFirst, verdict);
    } catch (error) {
      connection.refuse(frame.id, error);
    } finally {
      connection.endAuthorization();
    }
  }

  #settle(connection: ClientConnection, { id, token }: AuthFrame, isFirst: boolean, verdict: Verdict): void {
    connection.access.assertHolds();
    if (isRefusal(verdict)) {
      logRefusal(this.#registry.options.refusals, connection.request, verdict);
      const code = closeCodeOfRefusal(verdict);
      if (token !== null && !isFirst) throw errorOfRefusal(verdict);
      if (token !== null) return connection.close(code, verdict.message);
      // Whoever signs out keeps no rights, whatever the reason for the refusal.
      connection.endRights(code);
      return connection.closeEnded(code);
    }
    const { identity } = verdict;
    const known = connection.identity;
    if (known && identity && (known.iss !== identity.iss || known.sub !== identity.sub)) {
      throw new PregonError('FORBIDDEN', 'the token belongs to another identity: sign out first, or connect again');
    }
    if (known && !identity && token !== null) {
      throw new PregonError('UNAUTHORIZED', 'the token was not recognized, and changes nothing');
    }
    this.#registry.renew(connection, verdict, id);
  }
}
