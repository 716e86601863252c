import type { LogPoint, ResetReason, Since } from '@pregon/protocol';
import { BoundedMap } from '../bounded-map.js';
import type { HistoryWindow } from '../delivery/history-window.js';
import type { Log } from '../ports/log.js';
import type { PositionCodec } from '../ports/positions.js';
import type { Clock } from '../time/clock.js';

/** Where a subscription may start, or why it may not start where it asked to. */
export type Start = { readonly point: LogPoint } | { readonly reset: ResetReason };

/** How long what the log answered to one serves the next who comes back with the same position: a storm of them has few. */
const SHARED_MS = 20;

const SHARED_STARTS = 1_000;

/**
 * Finds out whether the log still holds the very event that a position names (invariant 4): asked of the history window first, then of
 * the log. Whoever comes back with the same position within a moment shares one answer, and shares it whole: that the position is there,
 * and after that, that the log is still the one that has the edge. Of two answers of different times, each could be true of another log.
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

  /** @throws PregonError LOG_UNAVAILABLE */
  async at(point: LogPoint, edge: LogPoint): Promise<Start> {
    if (samePoint(point, edge) || samePoint(point, this.#history.floor)) return { point };
    const held = this.#history.at(point.offset);
    if (held) return held.entry.fingerprint === point.fingerprint ? { point } : { reset: 'replaced' };
    return this.#askTogether(point, edge);
  }

  /** Forgets all: the log is another one. */
  clear(): void {
    this.#shared.clear();
  }

  #askTogether(point: LogPoint, edge: LogPoint): Promise<Start> {
    const key = `${point.offset} ${point.fingerprint}`;
    const shared = this.#shared.get(key);
    if (shared && shared.until > this.#clock.now()) return shared.start;
    const asked = { start: this.#ask(point, edge), until: Number.POSITIVE_INFINITY };
    this.#shared.set(key, asked);
    asked.start.then(
      (start) => {
        // That it is not there may be true of this moment only. What is dropped after it was found, whoever reads it finds out.
        asked.until = 'point' in start ? this.#clock.now() + SHARED_MS : 0;
      },
      () => {
        asked.until = 0;
      },
    );
    return asked.start;
  }

  async #ask(point: LogPoint, edge: LogPoint): Promise<Start> {
    const presence = await this.#log.check(point);
    return presence === 'present' ? provenBy(edge, point, this.#log) : { reset: presence };
  }
}

/** The first retained event is the next. @throws PregonError LOG_UNAVAILABLE */
export async function startAtFirst(edge: LogPoint, log: Log): Promise<Start> {
  return provenBy(edge, await log.floor(), log);
}

/** A log that was replaced answers for itself before the hub is told; its points mean nothing in the old log's window. */
async function provenBy(edge: LogPoint, point: LogPoint, log: Log): Promise<Start> {
  return (await log.check(edge)) === 'replaced' ? { reset: 'replaced' } : { point };
}

/**
 * Where somebody asks to start; `foreign` if the position is of another key, so that it proves nothing here.
 *
 * @throws PregonError POSITION_INVALID
 */
export function parseSince(since: Since, positions: PositionCodec): LogPoint | 'first' | 'foreign' {
  return since === 'first' ? 'first' : (positions.decode(since) ?? 'foreign');
}

function samePoint(a: LogPoint, b: LogPoint): boolean {
  return a.offset === b.offset && a.fingerprint === b.fingerprint;
}
