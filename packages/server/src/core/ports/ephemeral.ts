/**
 * The way between the gateways on one log for what is not logged. Whoever joined hears what all others who joined send, in this
 * process and in others. Guarantees, proven for each implementation by `pregon/testing`:
 *
 * - **At most once.** A text that cannot be handed over now is gone: nothing is stored, retried or acknowledged.
 * - **Order.** The texts of one member are heard in the order in which it sent them, with holes where some were dropped. Between two
 *   members there is no order.
 * - **Bounded.** What waits for a member that does not read is limited to {@link MAX_EPHEMERAL_BYTES}; beyond that its share is
 *   dropped and counted. It delays nobody else.
 * - **Nobody hears itself.** Two members are two, also on one handle of the log.
 */
export interface Ephemeral {
  /**
   * Resolves when what others send from now on is heard; what they sent a moment before may be. Where the way to them is shut for now,
   * that is told as a warning of the log and it resolves at once; when the way opens, it is used.
   *
   * @param hear called with each text, never before the turn of the event loop in which it was sent has ended; must not throw
   * @throws PregonError LOG_CLOSED
   */
  join(hear: (text: string) => void): Promise<EphemeralMember>;
}

/** Ends with {@link EphemeralMember.leave}, or with the log. */
export interface EphemeralMember {
  /**
   * Sends to all others that have joined. Never waits and never throws; after the end it does nothing.
   *
   * @param text well-formed Unicode; one of more than {@link MAX_EPHEMERAL_BYTES} is dropped for all
   */
  send(text: string): void;

  /** How many texts were dropped so far, counted once for each member that did not read; one that is too large counts once. */
  readonly dropped: number;

  /** When it resolves, nothing is heard any more. What was sent before still goes out. */
  leave(): Promise<void>;
}

/** The most bytes of one text, and of all that wait for one member: 8 MiB. */
export const MAX_EPHEMERAL_BYTES = 8_388_608;
