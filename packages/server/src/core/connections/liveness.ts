import type { CloseName } from '@pregon/protocol';
import type { Link } from '../ports/link.js';

/** From how many bytes on the operating systems of both sides may hold a client up that reads slowly, and the ping with them. */
const MUCH_BYTES = 65_536;

/** What became of a look at a connection: it lives, it reads slowly, or it is to be closed. */
export type Verdict = 'alive' | 'slow' | Extract<CloseName, 'HEARTBEAT_MISSED' | 'STALLED'>;

/** What is looked at of a {@link Link}. */
export type Pulse = Pick<Link, 'bufferedBytes' | 'takenBytes' | 'ping'>;

/**
 * Tells a client that is gone from one that is only slow. All times in milliseconds of the same clock; kept whole, since V8 keeps each fraction
 * in an object of its own, and rounded so that nothing ends too early.
 */
export class Liveness {
  #heardAt: number;
  #lookedAt: number;
  /** What the link had taken then. */
  #takenWhenHeard = 0;
  #stalledSince: number | undefined;
  /** What the link had taken then. */
  #takenWhenStalled = 0;

  constructor(now: number) {
    this.#heardAt = Math.ceil(now);
    this.#lookedAt = this.#heardAt;
  }

  /** The client gave a sign of life. */
  heard(now: number, takenBytes: number): void {
    this.#heardAt = Math.ceil(now);
    this.#takenWhenHeard = takenBytes;
  }

  /** Once in `heartbeatMs`: asks the client for a sign of life, and judges by those it gave. */
  look(link: Pulse, now: number, heartbeatMs: number, stallTimeoutMs: number): Verdict {
    this.#forgive(now, heartbeatMs);
    if (link.bufferedBytes > 0) return this.#judgeStall(link, now, stallTimeoutMs);
    // It was asked for nothing while bytes waited, so it owes nothing for that time.
    if (this.#stalledSince !== undefined) this.heard(now, link.takenBytes);
    this.#stalledSince = undefined;
    const silent = now - this.#heardAt;
    const much = link.takenBytes - this.#takenWhenHeard > MUCH_BYTES;
    if (!link.ping()) this.heard(now, link.takenBytes);
    else if (silent > Math.max(heartbeatMs * 2, much ? stallTimeoutMs : 0)) return 'HEARTBEAT_MISSED';
    return 'alive';
  }

  /** The time in which this process itself stood still, stopped or held up by a handler, is nobody's silence. */
  #forgive(now: number, heartbeatMs: number): void {
    const late = Math.ceil(now - this.#lookedAt - heartbeatMs);
    this.#lookedAt = Math.ceil(now);
    if (late < heartbeatMs / 2) return;
    this.#heardAt += late;
    if (this.#stalledSince !== undefined) this.#stalledSince += late;
  }

  /** A client that reads slowly cannot answer a ping that it has not read yet; it lives as long as it takes anything. */
  #judgeStall({ takenBytes }: Pulse, now: number, stallTimeoutMs: number): Verdict {
    if (this.#stalledSince === undefined || takenBytes !== this.#takenWhenStalled) {
      this.#takenWhenStalled = takenBytes;
      this.#stalledSince = Math.ceil(now);
      // Having read, it will find the next ping; the silence until then was not its fault.
      this.heard(now, takenBytes);
      return 'slow';
    }
    return now - this.#stalledSince > stallTimeoutMs ? 'STALLED' : 'slow';
  }
}
