import { toError } from '@pregon/protocol';
import type { Ephemeral, EphemeralMember } from '../ports/ephemeral.js';

/** Sends to the same channel of all other gateways. Never waits, never throws. */
export type TellOthers = (text: string) => void;

/** The way to the other gateways of the log, shared by all who have something to tell: each has a channel of its own. */
export class OtherGateways {
  readonly #channels = new Map<string, (text: string) => void>();
  readonly #onFailed: (error: Error) => void;
  #member: EphemeralMember | undefined;

  /**
   * Resolves when what the others send from now on is heard.
   *
   * @param onFailed what another gateway sent could not be read, or not be delivered
   * @throws PregonError LOG_CLOSED
   */
  static async join(ephemeral: Ephemeral, onFailed: (error: Error) => void): Promise<OtherGateways> {
    const others = new OtherGateways(onFailed);
    others.#member = await ephemeral.join((text) => others.#hear(text));
    return others;
  }

  private constructor(onFailed: (error: Error) => void) {
    this.#onFailed = onFailed;
  }

  /**
   * @param name without blanks; the same on all gateways
   * @param hear called with what another gateway sent; where it throws, that is told to `onFailed`
   */
  open(name: string, hear: (text: string) => void): TellOthers {
    this.#channels.set(name, hear);
    return (text) => this.#member?.send(`${name} ${text}`);
  }

  /** Nothing is heard and nothing goes out any more. */
  async leave(): Promise<void> {
    const member = this.#member;
    this.#member = undefined;
    this.#channels.clear();
    await member?.leave();
  }

  /** What comes on a channel that is not open here is meant for others. */
  #hear(text: string): void {
    const blank = text.indexOf(' ');
    try {
      this.#channels.get(text.slice(0, blank))?.(text.slice(blank + 1));
    } catch (error) {
      this.#onFailed(toError(error));
    }
  }
}
