import type { CloseName } from '@pregon/protocol';
import type { Link } from '../ports/link.js';

/**
 * With more bytes than this in the socket buffers of both sides, a slow client may take long to reach the ping behind
 * them.
 */
const MUCH_BYTES = 65_536;

/** The result of a check: the connection is alive, reads slowly, or must be closed. */
export type Verdict = 'alive' | 'slow' | Extract<CloseName, 'HEARTBEAT_MISSED' | 'STALLED'>;

/** The part of a {@link Link} that is checked. */
export type Pulse = Pick<Link, 'bufferedBytes' | 'takenBytes' | 'ping'>;

/**
 * Tells a client that is gone from one that is only slow. All times are milliseconds of the same clock. They are kept
 * as integers, because V8 stores each fraction in an object of its own, and rounded up so that no connection ends too
 * early.
 */
export class Liveness {
  #heardAt: number;
  #lookedAt: number;
  /** {@link Link.takenBytes} at `#heardAt`. */
  #takenWhenHeard = 0;
  #stalledSince: number | undefined;
  /** {@link Link.takenBytes} at `#stalledSince`. */
  #takenWhenStalled = 0;

  constructor(now: number) {
    this.#heardAt = Math.ceil(now);
    this.#lookedAt = this.#heardAt;
  }

  /** The client has shown a sign of life. */
  heard(now: number, takenBytes: number): void {
    this.#heardAt = Math.ceil(now);
    this.#takenWhenHeard = takenBytes;
  }

  /** Runs every `heartbeatMs`: asks the client for a sign of life, and judges by the earlier signs. */
  look(link: Pulse, now: number, heartbeatMs: number, stallTimeoutMs: number): Verdict {
    this.#forgive(now, heartbeatMs);
    if (link.bufferedBytes > 0) return this.#judgeStall(link, now, stallTimeoutMs);
    // No ping was sent while bytes waited, so that time does not count as silence.
    if (this.#stalledSince !== undefined) this.heard(now, link.takenBytes);
    this.#stalledSince = undefined;
    const silent = now - this.#heardAt;
    const much = link.takenBytes - this.#takenWhenHeard > MUCH_BYTES;
    if (!link.ping()) this.heard(now, link.takenBytes);
    else if (silent > Math.max(heartbeatMs * 2, much ? stallTimeoutMs : 0)) return 'HEARTBEAT_MISSED';
    return 'alive';
  }

  /** Does not count the time in which this process stood still, because it was stopped or a handler blocked it. */
  #forgive(now: number, heartbeatMs: number): void {
    const late = Math.ceil(now - this.#lookedAt - heartbeatMs);
    this.#lookedAt = Math.ceil(now);
    if (late < heartbeatMs / 2) return;
    this.#heardAt += late;
    if (this.#stalledSince !== undefined) this.#stalledSince += late;
  }

  /** A slow client cannot answer a ping that it has not read yet. It counts as alive while it takes any bytes. */
  #judgeStall({ takenBytes }: Pulse, now: number, stallTimeoutMs: number): Verdict {
    if (this.#stalledSince === undefined || takenBytes !== this.#takenWhenStalled) {
      this.#takenWhenStalled = takenBytes;
      this.#stalledSince = Math.ceil(now);
      // The client reads on and will reach the next ping, so the silence until now does not count.
      this.heard(now, takenBytes);
      return 'slow';
    }
    return now - this.#stalledSince > stallTimeoutMs ? 'STALLED' : 'slow';
  }
}
