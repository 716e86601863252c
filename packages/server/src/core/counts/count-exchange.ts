import type { Clock } from '../time/clock.js';
import { type Counts, PERIOD_MS, STALE_MS } from './counts.js';
import { SharedGauge } from './shared-gauge.js';
import { SharedUses } from './shared-uses.js';

/** Brings the counts of this process to the others. */
export interface CountChannel {
  /** How many processes share the counts, this one included. */
  readonly processes: number;
  /** @param written called when the channel can take the next message; never, if it is stuck or closed */
  tell(counts: Counts, written: () => void): void;
}

/**
 * Exchanges counts with the other processes that serve the same clients. Until {@link CountExchange.join} is called,
 * and while there is nothing to share, it costs nothing and has no timer.
 *
 * A process waits for no other one: without news it continues with its own counts, and after {@link STALE_MS} without
 * the last ones of the others.
 */
export class CountExchange {
  readonly addresses = new SharedGauge(() => this.#openChanged());
  readonly identities = new SharedGauge(() => this.#openChanged());
  readonly handshakes = new SharedUses(() => this.#wake());
  readonly failures = new SharedUses(() => this.#wake());
  readonly #clock: Clock;
  #channel: CountChannel | undefined;
  #hasChanged = false;
  #isWriting = false;
  #heardAt = Number.NEGATIVE_INFINITY;
  #isAwake = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Begins to exchange. Call it before there are clients. */
  join(channel: CountChannel): void {
    this.#channel = channel;
  }

  /** Takes the counts of the other processes. */
  hear({ open, handshakes, failures }: Counts): void {
    this.#heardAt = this.#clock.now();
    this.#setStale(false);
    if (open) {
      this.addresses.hear(open.addresses);
      this.identities.hear(open.identities);
    }
    this.handshakes.hear(handshakes);
    this.failures.hear(failures);
    if (!this.addresses.isEmpty || !this.identities.isEmpty) this.#wake();
  }

  #openChanged(): void {
    this.#hasChanged = true;
    this.#wake();
  }

  #wake(): void {
    const channel = this.#channel;
    if (this.#isAwake || !channel) return;
    this.#isAwake = true;
    this.#clock.after(PERIOD_MS, () => this.#tick(channel));
  }

  #tick(channel: CountChannel): void {
    this.#isAwake = false;
    if (this.#clock.now() - this.#heardAt > STALE_MS) this.#setStale(true);
    // A channel that is stuck must not collect messages. What was used meanwhile is told later.
    if (!this.#isWriting) this.#report(channel);
    const { addresses, identities, handshakes, failures } = this;
    const isQuiet = [addresses, identities, handshakes, failures].every(({ isEmpty }) => isEmpty);
    if (this.#hasChanged || !isQuiet) this.#wake();
  }

  #report(channel: CountChannel): void {
    const { addresses, identities } = this;
    const open = this.#hasChanged ? { addresses: addresses.report(), identities: identities.report() } : undefined;
    const handshakes = this.handshakes.take();
    const failures = this.failures.take();
    // Counts that stay the same are confirmed, so that the others do not take them for stale.
    const mustConfirm = !addresses.isOwnEmpty || !identities.isOwnEmpty;
    if (!open && !mustConfirm && handshakes.length === 0 && failures.length === 0) return;
    this.#hasChanged = false;
    this.#isWriting = true;
    channel.tell({ open, handshakes, failures }, () => {
      this.#isWriting = false;
    });
  }

  #setStale(isStale: boolean): void {
    this.addresses.isStale = isStale;
    this.identities.isStale = isStale;
  }
}
