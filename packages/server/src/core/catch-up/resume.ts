import type { LogPoint, ResetReason, Since } from '@pregon/protocol';
import { BoundedMap } from '../bounded-map.js';
import type { HistoryWindow } from '../delivery/history-window.js';
import type { Log } from '../ports/log.js';
import type { PositionCodec } from '../ports/positions.js';
import type { Clock } from '../time/clock.js';

/** Where a subscription may start, or why it cannot start at its position. */
export type Start = { readonly point: LogPoint } | { readonly reset: ResetReason };

/**
 * How long an answer of the log is shared by subscriptions with the same position: in a reconnect storm, there are few
 * different positions.
 */
const SHARED_MS = 20;

const SHARED_STARTS = 1_000;

/**
 * Finds out whether the log still holds the very event that a position names (invariant 4): in the history window
 * first, then in the log. Subscriptions that resume from the same position at about the same time share one answer. The
 * answer has two parts: the position is present, and after that, the log still has the edge. Both parts are shared
 * together: if they came from different times, each could be true of a different log.
 */
export class Resumption {
  readonly #history: HistoryWindow;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #shared = new BoundedMap<string, { readonly start: Promise<Start>; until: number }>(SHARED_STARTS);

  constructor(history: HistoryWindow, log: Log, clock: Clock) {
    this.#history = history;
    this.#log = log;
    this.#clock = clock;
  }

  /**
   * @param edge the edge of the hub at the moment of the call
   * @throws PregonError LOG_UNAVAILABLE
   */
  async at(point: LogPoint, edge: () => LogPoint): Promise<Start> {
    if (samePoint(point, edge()) || samePoint(point, this.#history.floor)) return { point };
    const held = this.#history.at(point.offset);
    if (held) return held.entry.fingerprint === point.fingerprint ? { point } : { reset: 'replaced' };
    return this.#askTogether(point, edge);
  }

  /** Drops all shared answers, because the log was replaced. */
  clear(): void {
    this.#shared.clear();
  }

  #askTogether(point: LogPoint, edge: () => LogPoint): Promise<Start> {
    const key = `${point.offset} ${point.fingerprint}`;
    const shared = this.#shared.get(key);
    if (shared && shared.until > this.#clock.now()) return shared.start;
    const asked = { start: this.#ask(point, edge), until: Number.POSITIVE_INFINITY };
    this.#shared.set(key, asked);
    asked.start.then(
      (start) => {
        // Only a found position is shared for a while, because an absence may be temporary. If the events after it are
        // dropped in that time, the next read notices it.
        asked.until = 'point' in start ? this.#clock.now() + SHARED_MS : 0;
      },
      () => {
        asked.until = 0;
      },
    );
    return asked.start;
  }

  async #ask(point: LogPoint, edge: () => LogPoint): Promise<Start> {
    const presence = await this.#log.check(point);
    return presence === 'present' ? provenBy(edge, point, this.#log) : { reset: presence };
  }
}

/** Starts at the first retained event. @throws PregonError LOG_UNAVAILABLE */
export async function startAtFirst(edge: () => LogPoint, log: Log): Promise<Start> {
  return provenBy(edge, await log.floor(), log);
}

/**
 * Until the hub is told of a replacement, the new log already answers. Its points mean nothing in the history window of
 * the old log. If the log has dropped the edge, it may be either log: a new one never held that offset if retention has
 * passed it. A subscription that begins at the edge is right in both cases.
 */
async function provenBy(edge: () => LogPoint, point: LogPoint, log: Log): Promise<Start> {
  const presence = await log.check(edge());
  return presence === 'present' ? { point } : { reset: presence };
}

/**
 * The point where a client asks to start; `foreign` if the position was made with another key, so that it proves
 * nothing here.
 *
 * @throws PregonError POSITION_INVALID
 */
export function parseSince(since: Since, positions: PositionCodec): LogPoint | 'first' | 'foreign' {
  return since === 'first' ? 'first' : (positions.decode(since) ?? 'foreign');
}

function samePoint(a: LogPoint, b: LogPoint): boolean {
  return a.offset === b.offset && a.fingerprint === b.fingerprint;
}
