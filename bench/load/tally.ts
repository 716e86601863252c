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

  reset(): void {
    this.events = 0;
    this.bytes = 0;
    this.misordered = 0;
    if (this.latencies) this.latencies = [];
  }
}
