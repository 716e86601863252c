/**
 * A channel between the gateways on one log, for messages that are not logged. Each member receives the texts of all
 * other members, in this process and in others. Guarantees, proven for each implementation by `pregon/testing`:
 *
 * - **At most once.** A text that cannot be delivered now is lost: nothing is stored, retried or acknowledged.
 * - **Order.** The texts of one member are received in the order in which it sent them, with gaps where texts were
 *   dropped. There is no order between the texts of two members.
 * - **Bounded.** At most {@link MAX_EPHEMERAL_BYTES} wait for a member that does not read. More texts than that
 *   are dropped and counted. It delays no other member.
 * - **No echo.** A member does not receive its own texts. Two members on one handle of the log are different members,
 *   and receive each other's texts.
 */
export interface Ephemeral {
  /**
   * Resolves when all texts that others send from now on will be received; texts from just before may be received too.
   * If the other members cannot be reached at the moment, the log reports a warning and the call resolves at once. The
   * connection is used as soon as it works.
   *
   * @param hear called with each text, never in the event loop turn in which it was sent; must not throw
   * @throws PregonError LOG_CLOSED
   */
  join(hear: (text: string) => void): Promise<EphemeralMember>;
}

/** A member of the channel, until {@link EphemeralMember.leave} is called or the log is closed. */
export interface EphemeralMember {
  /**
   * Sends a text to all other members. Never waits and never throws. After `leave` or the close of the log it does
   * nothing.
   *
   * @param text well-formed Unicode; a text of more than {@link MAX_EPHEMERAL_BYTES} is dropped for all members
   */
  send(text: string): void;

  /**
   * The number of texts dropped so far, counted once for each member that did not read. A text that is too large counts
   * once.
   */
  readonly dropped: number;

  /** Leaves the channel. After it resolves, no text is received. Texts sent before are still delivered. */
  leave(): Promise<void>;
}

/** The most bytes of one text, and of all texts that wait for one member: 8 MiB. */
export const MAX_EPHEMERAL_BYTES = 8_388_608;
