/** What all connections of a load client have got. */
export class Tally {
  events = 0;
  /** Bytes of the events' frames without their headers. */
  bytes = 0;
  /** Events that were not the next one in order. */
  misordered = 0;
  /** The last time that something came, on the clock of `performance`. */
  lastAtMs = 0;
  /** From the making of an event to its coming, in microseconds; of one connection, where asked for. */
  latencies: number[] | undefined;
  /** When each event had come to the last of all connections, in microseconds, in the order of their numbers; where asked for. */
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
