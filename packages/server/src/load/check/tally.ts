import { nowMicros } from '../numbered-event.js';
import type { DeliveryCheck, Verdict } from './delivery-check.js';
import { Histogram } from './histogram.js';
import type { Sighting } from './sightings.js';

/** How many faults are listed individually. */
const MAX_FINDINGS = 10;

/** A fault: which event, on which connection. */
export interface Finding {
  readonly fault: 'lost' | 'reordered' | 'duplicate' | 'unasked';
  /** Counted from 1. */
  readonly connection: number;
  /** The number of the event; undefined for an event from another publisher. */
  readonly number: number | undefined;
  readonly position: string | undefined;
}

/** The totals of all connections. */
export class Tally {
  /** Events of this run. */
  events = 0;
  /** Events from other publishers. */
  others = 0;
  /** Frames that are not events. */
  messages = 0;
  /** Payload bytes of all received frames. */
  bytes = 0;
  duplicates = 0;
  reordered = 0;
  /** Events on a topic that the connection has not subscribed to. */
  unasked = 0;
  /** Microseconds from sending to arrival; from the `time` of each event if the run publishes nothing. */
  readonly latency = new Histogram();
  readonly findings: Finding[] = [];
  readonly #publishes: boolean;

  constructor(publishes: boolean) {
    this.#publishes = publishes;
  }

  event(connection: number, check: DeliveryCheck, sighting: Sighting, bytes: number): void {
    this.bytes += bytes;
    const { own, ordinal, happenedMicros } = sighting;
    if (own) {
      const verdict = check.take(own.number, ordinal);
      // An event that was sent while the connection may not have been open yet is not expected.
      if (verdict === 'early') return;
      this.events += 1;
      if (verdict !== 'duplicate') this.latency.record(nowMicros() - own.sentMicros);
      if (verdict !== 'well') this.#fault(verdict, connection, sighting);
      return;
    }
    this.others += 1;
    if (!this.#publishes && happenedMicros !== undefined) this.latency.record(nowMicros() - happenedMicros);
    const verdict = check.takeOther(ordinal);
    if (verdict !== 'well') this.#fault(verdict, connection, sighting);
  }

  message(bytes: number): void {
    this.bytes += bytes;
    this.messages += 1;
  }

  find(finding: Finding): void {
    if (this.findings.length < MAX_FINDINGS) this.findings.push(finding);
  }

  #fault(verdict: Exclude<Verdict, 'well' | 'early'>, connection: number, { own, position }: Sighting): void {
    if (verdict === 'duplicate') this.duplicates += 1;
    else if (verdict === 'reordered') this.reordered += 1;
    else this.unasked += 1;
    this.find({ fault: verdict, connection: connection + 1, number: own?.number, position });
  }
}
