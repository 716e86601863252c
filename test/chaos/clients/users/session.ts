import { CLOSE_CODES, mayReconnect } from '@pregon/protocol';
import { LEEWAY_MS } from '../../rights.js';
import type { Journal } from '../journal.js';
import type { Statistics } from '../statistics.js';
import type { Token, User } from './user.js';

const { TOKEN_EXPIRED, FORBIDDEN, RESET, REVOKED } = CLOSE_CODES;

/** The close codes that say the same as a status of HTTP. */
const CODE_OF_STATUS: Readonly<Record<number, number>> = { 401: TOKEN_EXPIRED.code, 403: FORBIDDEN.code };

/** What a follower asks for with the tokens of its user, and what it must get for them. */
export class Session {
  readonly #user: User;
  readonly #journal: Journal;
  readonly #statistics: Statistics;
  #asks: readonly string[];
  #token: Token | undefined;

  /** @param asks the topics that it subscribes to; none means all that its token allows */
  constructor(user: User, asks: readonly string[], journal: Journal, statistics: Statistics) {
    this.#user = user;
    this.#asks = asks;
    this.#journal = journal;
    this.#statistics = statistics;
    user.watch((token) => this.#authorized(token));
  }

  /** The topics to subscribe to; empty for all that is allowed. */
  get asks(): readonly string[] {
    return this.#asks;
  }

  async token(): Promise<string> {
    return (await this.#user.token()).text;
  }

  /** A request was answered with a status of HTTP other than the expected one. */
  refused(status: number, text: string): Again {
    const code = /revoked/.test(text) ? REVOKED.code : CODE_OF_STATUS[status];
    return code === undefined ? 'again' : this.ended(code, `${status} ${text}`);
  }

  /**
   * The gateway ended the connection, or refused it, with a close code.
   *
   * @returns how to come back
   */
  ended(code: number, reason: string): Again {
    switch (code) {
      case TOKEN_EXPIRED.code:
        this.#expired(reason);
        return 'again';
      case REVOKED.code:
        this.#revoked(reason);
        return 'again';
      case FORBIDDEN.code:
        return this.forbidden(reason);
      case RESET.code:
        return 'anew';
      default:
        if (!mayReconnect(code)) this.#journal.refused(`${code} ${reason}`);
        return 'again';
    }
  }

  /** The topics that it asked for lie outside its rights. It begins anew, with all that is allowed. */
  forbidden(reason: string): Again {
    if (this.#asks.length === 0 || this.#token?.rights.topics.includes('#') !== false) {
      this.#journal.refused(`although its token allows it: ${reason}`);
      return 'again';
    }
    this.#statistics.forbidden += 1;
    this.#asks = [];
    this.#expect(this.#token.rights.topics);
    this.#journal.reset('first');
    return 'anew';
  }

  #expired(reason: string): void {
    this.#user.discard();
    const early = this.#token === undefined ? 0 : this.#token.expiresAtMs + LEEWAY_MS - Date.now();
    // With fewer rights in a new token, a connection with unsent data is closed.
    if (early > 0 && !this.#user.isRenewing)
      this.#journal.refused(`${early} ms before its token has expired: ${reason}`);
    else this.#statistics.expired += 1;
  }

  /** The user signs in again. A page would ask the user to do that. */
  #revoked(reason: string): void {
    this.#user.discard();
    this.#journal.revoked(reason);
    this.#statistics.revoked += 1;
    this.#statistics.isShutOut = true;
  }

  #authorized(token: Token): void {
    this.#token = token;
    this.#journal.token(token);
    if (this.#asks.length === 0) this.#expect(token.rights.topics);
  }

  #expect(topics: readonly string[]): void {
    this.#statistics.topics = topics;
    this.#journal.topics(topics);
  }
}

/** Whether a follower comes back with its position, or from the first event. */
export type Again = 'again' | 'anew';
