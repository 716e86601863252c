import type { Beginning, JournalHeader } from '../clients/journal.js';
import type { CommittedEvent } from './truth.js';

export interface Received {
  readonly atMs: number;
  readonly connection: number;
  readonly position: string;
  readonly sequence: string;
  readonly id: string;
}

/** The faults of one follower: how many, and the first few as evidence. */
export interface Findings {
  lost: number;
  duplicate: number;
  reordered: number;
  /** Events that were never committed, or that do not match its topics. */
  foreign: number;
  /** Steps and refusals that the follower itself reported as wrong. */
  wrong: number;
  readonly evidence: string[];
}

const MOST_EVIDENCE = 12;

export function noFindings(): Findings {
  return { lost: 0, duplicate: 0, reordered: 0, foreign: 0, wrong: 0, evidence: [] };
}

/**
 * Compares the events of a follower, in the order of arrival, with the events that it had to receive. After a reset
 * both begin anew.
 */
export class Examination {
  readonly findings = noFindings();
  readonly #name: string;
  /** The events that match its topics, in the required order. */
  readonly #expected: readonly CommittedEvent[];
  readonly #places: ReadonlyMap<string, number>;
  /** For any committed event, the place of the first expected event after it. */
  readonly #placeAfter: (id: string) => number | undefined;
  #next: number | undefined;
  #seen = new Set<number>();
  #missing = new Map<number, string>();
  #last = 'nothing';

  /** @param committed all committed events, in order */
  constructor(
    header: JournalHeader,
    committed: readonly CommittedEvent[],
    matches: (event: CommittedEvent) => boolean,
  ) {
    this.#name = header.name;
    this.#expected = committed.filter(matches);
    this.#places = new Map(this.#expected.map(({ id }, place) => [id, place]));
    this.#placeAfter = (id) => placeAfter(id, committed, matches);
    this.#begin(header.beginning);
  }

  /** The last event that it has to receive. */
  get lastExpected(): string | undefined {
    return this.#expected.at(-1)?.id;
  }

  received(event: Received): void {
    const place = this.#places.get(event.id);
    if (place === undefined)
      return this.#found('foreign', `${show(event)}, which was not committed or does not match its topics`);
    this.#next ??= place;
    if (this.#seen.has(place)) return this.#found('duplicate', `${show(event)} again; the last was ${this.#last}`);
    this.#seen.add(place);
    if (place < this.#next) {
      this.#missing.delete(place);
      this.#found('reordered', `${show(event)} came after ${this.#last}`);
    } else {
      for (let missing = this.#next; missing < place; missing++) {
        this.#missing.set(missing, `between ${this.#last} and ${show(event)}`);
      }
      this.#next = place + 1;
    }
    this.#last = show(event);
  }

  reset(beginning: Beginning): void {
    this.#settleMissing();
    this.#begin(beginning);
  }

  wrong(atMs: number, text: string): void {
    this.#found('wrong', `${at(atMs)} ${text}`);
  }

  /** @param complete whether the follower stayed to the end of the run and so must have all events */
  end(complete: boolean): Findings {
    if (complete && this.#next !== undefined) {
      for (let missing = this.#next; missing < this.#expected.length; missing++) {
        this.#missing.set(missing, `after ${this.#last}, the last that it received`);
      }
    }
    this.#settleMissing();
    return this.findings;
  }

  #begin(beginning: Beginning): void {
    this.#seen = new Set();
    this.#last = 'the beginning';
    if (beginning === 'first') this.#next = 0;
    else if (beginning === 'anywhere') this.#next = undefined;
    else this.#next = this.#placeAfter(beginning.after) ?? 0;
  }

  #settleMissing(): void {
    for (const [place, where] of this.#missing) {
      const event = this.#expected[place];
      this.#found(
        'lost',
        `${event?.id} (${event?.topic}, ${event?.row} version ${event?.version}, place ${place}) ${where}`,
      );
    }
    this.#missing = new Map();
  }

  #found(kind: Exclude<keyof Findings, 'evidence'>, text: string): void {
    this.findings[kind] += 1;
    if (this.findings.evidence.length < MOST_EVIDENCE) this.findings.evidence.push(`${this.#name}: ${kind}: ${text}`);
  }
}

function placeAfter(
  id: string,
  committed: readonly CommittedEvent[],
  matches: (event: CommittedEvent) => boolean,
): number | undefined {
  const at = committed.findIndex((event) => event.id === id);
  return at === -1 ? undefined : committed.slice(0, at + 1).filter(matches).length;
}

function show({ id, position, sequence, atMs, connection }: Received): string {
  return `${id} (sequence ${Number(sequence)}, position ${position}, ${at(atMs)}, connection ${connection})`;
}

function at(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}
