import { toError } from '@pregon/protocol';
import type { Ephemeral, EphemeralMember } from '../ports/ephemeral.js';

/** Sends to the same channel of all other gateways. Never waits, never throws. */
export type TellOthers = (text: string) => void;

/** Sends messages to the other gateways on the log, and receives theirs. Each purpose has a channel of its own. */
export class OtherGateways {
  readonly #channels = new Map<string, (text: string) => void>();
  readonly #onFailed: (error: Error) => void;
  #member: EphemeralMember | undefined;
  #droppedBefore = 0;

  /**
   * Resolves when all messages that other gateways send from now on will be received.
   *
   * @param onFailed called if a message of another gateway cannot be read or delivered
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
   * @param name the name of the channel, without spaces; the same on all gateways
   * @param hear called with each text from another gateway; an error that it throws is passed to `onFailed`
   */
  open(name: string, hear: (text: string) => void): TellOthers {
    this.#channels.set(name, hear);
    return (text) => this.#member?.send(`${name} ${text}`);
  }

  /** The number of messages that did not reach another gateway, see `EphemeralMember.dropped`. */
  get dropped(): number {
    return this.#member?.dropped ?? this.#droppedBefore;
  }

  /** Stops sending and receiving. */
  async leave(): Promise<void> {
    const member = this.#member;
    this.#droppedBefore = this.dropped;
    this.#member = undefined;
    this.#channels.clear();
    await member?.leave();
  }

  /** Ignores messages on channels that are not open here. */
  #hear(text: string): void {
    const blank = text.indexOf(' ');
    try {
      this.#channels.get(text.slice(0, blank))?.(text.slice(blank + 1));
    } catch (error) {
      this.#onFailed(toError(error));
    }
  }
}
