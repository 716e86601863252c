import { decodeSequence } from '@pregon/protocol';

/** The members of an event that give its place among the events of its source. */
export interface Placed {
  readonly source: string;
  readonly sequence?: string;
}

/** An outage that is over. */
export interface Return {
  /** Milliseconds from the loss until the page was live again. */
  readonly ms: number;
  /** How many events of the outage the page has caught up with. */
  readonly caughtUp: number;
  /**
   * Whether the sequences prove that no event is missing: all are from one source and consecutive, starting after the
   * last event before the loss.
   */
  readonly proven: boolean;
  /** The sequence before the first event of the outage, and that of the last one. They are valid only if `proven`. */
  readonly from: number;
  readonly to: number;
}

interface Outage {
  readonly since: number;
  readonly from: number;
  caughtUp: number;
  unbroken: boolean;
}

/**
 * Counts the events that the page catches up with after an outage, and checks by their sequences that none is missing.
 * It must receive every event of the log, in order.
 */
export class OutageTracker {
  #last: { readonly source: string; readonly sequence: number } | undefined;
  #outage: Outage | undefined;

  /** The last event that has a sequence. */
  get last(): { readonly source: string; readonly sequence: number } | undefined {
    return this.#last;
  }

  /** How many events arrived since the loss; 0 while there is no outage. */
  get caughtUp(): number {
    return this.#outage?.caughtUp ?? 0;
  }

  /** When the connection was lost, in milliseconds since the Unix epoch. */
  get since(): number | undefined {
    return this.#outage?.since;
  }

  received({ source, sequence }: Placed): void {
    const number = sequence === undefined ? undefined : decodeSequence(sequence);
    const last = this.#last;
    if (this.#outage) {
      this.#outage.caughtUp++;
      const follows = last ? source === last.source && number === last.sequence + 1 : number === 1;
      this.#outage.unbroken &&= follows;
    }
    if (number !== undefined) this.#last = { source, sequence: number };
  }

  /** Reports a lost connection. A second loss before the page is live again belongs to the same outage. */
  lost(now: number): void {
    this.#outage ??= { since: now, from: this.#last?.sequence ?? 0, caughtUp: 0, unbroken: true };
  }

  /** Reports that the log cannot continue from the position of the page, so later sequences prove nothing. */
  reset(): void {
    this.#last = undefined;
    if (this.#outage) Object.assign(this.#outage, { caughtUp: 0, unbroken: false });
  }

  /** Reports that the page is live again. @returns undefined if there was no outage */
  back(now: number): Return | undefined {
    const outage = this.#outage;
    this.#outage = undefined;
    if (!outage) return undefined;
    const { since, from, caughtUp, unbroken } = outage;
    return { ms: now - since, caughtUp, proven: unbroken && caughtUp > 0, from, to: this.#last?.sequence ?? from };
  }
}
