import { BoundedMap } from '../bounded-map.js';
import type { Observer, Refused } from '../ports/observer.js';
import type { Clock } from '../time/clock.js';

/** The part of the gateway's logger that logs refusals. */
export interface RefusalLogger {
  warn(fields: object, message: string): void;
}

/** Milliseconds for which the same refusal is not logged again. The limits of lines apply to the same period. */
const QUIET_MS = 600_000;

/**
 * The most lines for one reason in {@link QUIET_MS}: a client can invent any number of origins and paths. Each reason has
 * a limit of its own, so that such a client does not hide refusals for other reasons.
 */
const MOST_LINES_OF_REASON = 20;

/** The most lines for all reasons together: an admission of the application can have any number of reasons. */
const MOST_LINES = 200;

/** The most refusals that are remembered, to log each of them only once. */
const MOST_REMEMBERED = 200;

/** The most characters of a client's text in a log line. */
const MOST_CHARACTERS = 200;

interface Told {
  at: number;
  /** How often the same refusal has happened since then without a log line. */
  since: number;
}

/**
 * Logs why clients are refused, and what to do. A page of a refused origin retries every few seconds, and cannot read
 * the reason. So each reason is logged once for each origin and subject, and again after ten minutes, with the number
 * of refusals in between.
 */
export class RefusalLog {
  readonly #logger: RefusalLogger;
  readonly #clock: Clock;
  readonly #observer: Observer;
  readonly #told = new BoundedMap<string, Told>(MOST_REMEMBERED);
  #windowStart = Number.NEGATIVE_INFINITY;
  /** How many lines each reason had since {@link RefusalLog.#windowStart}. */
  readonly #lines = new Map<string, number>();
  #allLines = 0;
  /** The refusals that were not logged because there were too many lines. */
  #unlogged = 0;

  /** @param observer is told of every refusal, logged or not */
  constructor(logger: RefusalLogger, clock: Clock, observer: Observer = {}) {
    this.#observer = observer;
    this.#logger = logger;
    this.#clock = clock;
  }

  /**
   * Logs a refusal as a warning, unless the same one was logged in the last {@link QUIET_MS} or there are too many
   * lines.
   */
  tell(refused: Refused): void {
    this.#observer.refused?.(refused);
    const { reason, message, remedy, ...rest } = refused;
    const origin = shorten(rest.origin);
    const subject = shorten(rest.subject);
    const key = JSON.stringify([reason, origin, subject]);
    const now = this.#clock.now();
    const told = this.#told.get(key);
    if (told && now - told.at < QUIET_MS) {
      told.since += 1;
      return;
    }
    if (!this.#hasRoom(reason, now)) {
      this.#unlogged += 1;
      return;
    }
    this.#told.delete(key);
    this.#told.set(key, { at: now, since: 0 });
    const more = told ? { since: told.since } : {};
    const others = this.#unlogged > 0 ? { others: this.#unlogged } : {};
    this.#unlogged = 0;
    const fields = {
      reason,
      ...(origin === undefined ? {} : { origin }),
      ...(subject === undefined ? {} : { subject }),
    };
    const text = shorten(message) ?? '';
    this.#logger.warn(
      { ...fields, ...more, ...others },
      `refused: ${text}${remedy === undefined ? '' : `; ${remedy}`}`,
    );
  }

  #hasRoom(reason: string, now: number): boolean {
    if (now - this.#windowStart >= QUIET_MS) {
      this.#windowStart = now;
      this.#lines.clear();
      this.#allLines = 0;
    }
    const lines = this.#lines.get(reason) ?? 0;
    if (lines >= MOST_LINES_OF_REASON || this.#allLines >= MOST_LINES) return false;
    this.#lines.set(reason, lines + 1);
    this.#allLines += 1;
    return true;
  }
}

function shorten(text: string | undefined): string | undefined {
  return text !== undefined && text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
}
