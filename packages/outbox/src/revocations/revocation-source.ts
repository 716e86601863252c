import { integerIn, valueIn } from '../column.js';

/** A row of the table of revocations. */
export interface WaitingRevocation {
  readonly number: number;
  /** The column as the driver returns it. */
  readonly text: unknown;
}

/** The table of the revocations that are not in the log yet. Committed rows only. */
export interface RevocationSource {
  /**
   * Returns the first rows; none if the table is missing, or if a relay of another process is active.
   *
   * @throws NotNow
   */
  read(maxCount: number): readonly WaitingRevocation[] | Promise<readonly WaitingRevocation[]>;

  /** Removes rows. @throws NotNow */
  remove(numbers: readonly number[]): void | Promise<void>;
}

export function toWaiting(row: unknown): WaitingRevocation {
  return { number: integerIn(row, 'id'), text: valueIn(row, 'revocation') };
}
