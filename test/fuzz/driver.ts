import { Random } from '../chaos/random.js';
import { CORPUS } from './corpus.js';
import { type Entrance, Session } from './session.js';
import type { Target } from './targets/target.js';
import { endAbandoned } from './wire.js';

/** The number of concurrent clients, besides abandoned ones. */
const AT_ONCE = 24;

/** A session that takes longer is ended, because the gateway does not answer it. */
const SESSION_MS = 5_000;

/** The number of ended sessions that are kept with everything they sent, to be replayed if something goes wrong. */
const KEPT_SESSIONS = 300;

/** The time of a session, and its entrance. */
export type SessionFacts = Pick<Session, 'index' | 'entrance' | 'startedAt' | 'endedAt'>;

export interface DriverOptions {
  readonly target: Target;
  readonly entrances: readonly Entrance[];
  readonly seed: number;
  /** Whether to go on. */
  readonly goesOn: (driver: Driver) => boolean;
}

/** Sends sessions to a target, a bounded number at a time, until `goesOn` returns false or the target shows a fault. */
export class Driver {
  readonly inputsOf = new Map<string, number>();
  inputs = 0;
  sessions = 0;
  readonly underWay = new Set<Session>();
  readonly recent: Session[] = [];
  /** All sessions that have ended. */
  readonly ended: SessionFacts[] = [];
  readonly #options: DriverOptions;
  readonly #entrances: readonly Entrance[];

  constructor(options: DriverOptions) {
    this.#options = options;
    this.#entrances = options.entrances.filter(({ isThere }) => isThere?.(options.target) ?? true);
  }

  async run(): Promise<void> {
    const { target, goesOn } = this.#options;
    const work = async () => {
      while (goesOn(this) && target.faults.length === 0) await this.#session(this.sessions++);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    endAbandoned();
  }

  /** The entrances of the sessions that ran between two times. */
  entrancesBetween(from: number, to: number): string[] {
    const sessions = [...this.ended, ...this.underWay].filter((session) => isBetween(session, from, to));
    return [...new Set(sessions.map(({ entrance }) => entrance))];
  }

  /** The most recent sessions that ran between two times, with everything they sent. */
  transcriptsBetween(from: number, to: number): Session[] {
    return [...this.recent, ...this.underWay].filter((session) => isBetween(session, from, to));
  }

  async #session(index: number): Promise<void> {
    const { target, seed } = this.#options;
    const random = new Random(seed, `session ${index}`);
    const session = new Session(index, random, target);
    const entrance = CORPUS[index] ?? random.weighted(this.#entrances);
    session.entrance = entrance.name;
    this.underWay.add(session);
    const late = setTimeout(() => session.end(), SESSION_MS);
    await entrance.run(session);
    clearTimeout(late);
    session.end();
    this.underWay.delete(session);
    const { startedAt, endedAt } = session;
    this.ended.push({ index, entrance: entrance.name, startedAt, endedAt });
    this.recent.push(session);
    if (this.recent.length > KEPT_SESSIONS) this.recent.shift();
    this.inputs += session.inputs;
    const name = CORPUS.includes(entrance) ? 'corpus' : entrance.name;
    this.inputsOf.set(name, (this.inputsOf.get(name) ?? 0) + session.inputs);
  }
}

function isBetween({ startedAt, endedAt }: SessionFacts, from: number, to: number): boolean {
  return startedAt <= to && (endedAt === undefined || endedAt >= from);
}
