/** The totals of all connections of a load client. */
export class Tally {
  events = 0;
  /** Bytes of the events' frames without their headers. */
  bytes = 0;
  /** Events that were not the next one in order. */
  misordered = 0;
  /** When data last arrived, on the clock of `performance`. */
  lastAtMs = 0;
  /** Microseconds from the creation of an event to its arrival, on one connection; undefined if not recorded. */
  latencies: number[] | undefined;
  /** When each event had arrived on the last connection, in microseconds, by number; undefined if not recorded. */
  arrivals: number[] | undefined;
  /** The number of the first event. */
  first = 0;

  reset(): void {
    this.events = 0;
    this.bytes = 0;
    this.misordered = 0;
    if (this.latencies) this.latencies = [];
    if (this.arrivals) this.arrivals = [];
  }

  arrived(number: number, atMicros: number): void {
    if (this.arrivals) this.arrivals[number - this.first] = atMicros;
  }
}
