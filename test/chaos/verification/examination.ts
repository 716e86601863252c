import type { Beginning, JournalHeader } from '../clients/journal.js';
import { LEEWAY_MS } from '../rights.js';
import type { CommittedEvents, MatchingEvents } from './committed-events.js';
import { type FindingKind, type Findings, noFindings } from './findings.js';
import type { CommittedEvent, CommittedRevocation } from './truth.js';

export interface Received {
  readonly atMs: number;
  readonly connection: number;
  readonly position: string;
  readonly sequence: string;
  readonly id: string;
}

export interface TokenTimes {
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

const MOST_EVIDENCE = 12;

/** How long delivery may go on when rights end. All clocks of a run are one. */
const END_WITHIN_MS = 1_000;

/** How much later than the application an outbox may take the time of a revocation. */
const RECORDED_WITHIN_MS = 1_000;

/**
 * Compares the events of a follower, in the order of arrival, with the events that it had to receive and was allowed to
 * receive. After a reset both begin anew; with new rights, it goes on after the last event.
 */
export class Examination {
  readonly findings = noFindings();
  readonly #name: string;
  readonly #committed: CommittedEvents;
  readonly #revocations: readonly CommittedRevocation[];
  #beginning: Beginning;
  #expected: MatchingEvents;
  /** The place of the next expected event; undefined if it may be any. */
  #next: number | undefined;
  /** Former rights under which it received nothing more; what did not match them need not come any more. */
  #former: MatchingEvents[] = [];
  #seen = new Set<string>();
  #missing = new Map<number, string>();
  /** The place of the last event among all committed events. */
  #lastPlace: number | undefined;
  #last = 'nothing';
  #token: TokenTimes | undefined;

  /** @param revocations those of all users */
  constructor(
    { name, user, topics, beginning }: JournalHeader,
    committed: CommittedEvents,
    revocations: readonly CommittedRevocation[],
  ) {
    this.#name = name;
    this.#committed = committed;
    this.#revocations = revocations.filter((revocation) => revocation.user === user);
    this.#beginning = beginning;
    this.#expected = committed.matching(topics);
    this.#begin();
  }

  /** From here on, the events come by connections with this token. */
  token(token: TokenTimes): void {
    this.#token = token;
  }

  /**
   * From here on, it must receive the events with these topics after its position. The position may be beyond the last
   * event that it received, because a checkpoint moves it over events that the former rights did not allow.
   */
  topics(topics: readonly string[]): void {
    this.#settleMissing();
    this.#former.push(this.#expected);
    this.#expected = this.#committed.matching(topics);
    if (this.#lastPlace === undefined) this.#begin();
    else this.#next = this.#expected.placeAfter(this.#lastPlace);
  }

  received(received: Received): void {
    const committedPlace = this.#committed.placeOf(received.id);
    const committed = committedPlace === undefined ? undefined : this.#committed.events[committedPlace];
    if (committedPlace === undefined || committed === undefined) return this.#found('uncommitted', show(received));
    this.#checkRights(received, committed);
    const place = this.#expected.placeOf(received.id);
    if (place === undefined) return this.#found('notAllowed', `${show(received)} with the topic ${committed.topic}`);
    this.#next ??= place;
    if (this.#seen.has(received.id)) {
      return this.#found('duplicate', `${show(received)} again; the last was ${this.#last}`);
    }
    this.#seen.add(received.id);
    if (place < this.#next) {
      this.#missing.delete(place);
      this.#found('reordered', `${show(received)} came after ${this.#last}`);
    } else {
      this.#miss(this.#next, place, `between ${this.#last} and ${show(received)}`);
      this.#next = place + 1;
      this.#lastPlace = committedPlace;
    }
    this.#last = show(received);
  }

  reset(beginning: Beginning): void {
    this.#settleMissing();
    this.#beginning = beginning;
    this.#begin();
  }

  wrong(atMs: number, text: string): void {
    this.#found('wrong', `${at(atMs)} ${text}`);
  }

  /** The gateway said that the token is revoked. */
  revoked(atMs: number, text: string): void {
    const issuedAtMs = this.#token?.issuedAtMs ?? 0;
    const isRevoked = this.#revocations.some(
      (revocation) => revocation.kind === 'block' || issuedAtMs <= revocation.atMs + RECORDED_WITHIN_MS,
    );
    if (!isRevoked) this.#found('refused', `${at(atMs)} nobody revoked the token: ${text}`);
  }

  refused(atMs: number, text: string): void {
    this.#found('refused', `${at(atMs)} ${text}`);
  }

  /** @param complete whether the follower stayed to the end of the run and so must have all events */
  end(complete: boolean): Findings {
    if (complete && this.#next !== undefined) {
      this.#miss(this.#next, this.#expected.events.length, `after ${this.#last}, the last that it received`);
    }
    this.#settleMissing();
    return this.findings;
  }

  #miss(from: number, to: number, where: string): void {
    for (let place = from; place < to; place++) {
      const id = this.#expected.events[place]?.id ?? '';
      if (this.#former.every((rights) => rights.placeOf(id) !== undefined)) this.#missing.set(place, where);
    }
    this.#former = [];
  }

  #begin(): void {
    this.#former = [];
    this.#seen = new Set();
    this.#last = 'the beginning';
    this.#lastPlace = undefined;
    if (this.#beginning === 'first') this.#next = 0;
    else if (this.#beginning === 'anywhere') this.#next = undefined;
    else this.#next = this.#expected.placeAfter(this.#committed.placeOf(this.#beginning.after) ?? -1);
  }

  /** An event is recorded before it is committed. So one that was recorded too late was committed too late. */
  #checkRights(received: Received, { recordedAtMs }: CommittedEvent): void {
    if (this.#token === undefined) return;
    const { issuedAtMs, expiresAtMs } = this.#token;
    const check = (kind: FindingKind, endedMs: number) => {
      const lateMs = recordedAtMs - endedMs;
      if (lateMs > END_WITHIN_MS) this.#found(kind, `${show(received)} was committed ${lateMs} ms after the end`);
    };
    check('afterExpiry', expiresAtMs + LEEWAY_MS);
    for (const { kind, atMs, committedByMs = Number.POSITIVE_INFINITY } of this.#revocations) {
      if (kind === 'block') check('afterBan', committedByMs);
      else if (issuedAtMs <= atMs) check('afterRevocation', committedByMs);
    }
  }

  #settleMissing(): void {
    for (const [place, where] of this.#missing) {
      const event = this.#expected.events[place];
      this.#found(
        'lost',
        `${event?.id} (${event?.topic}, ${event?.row} version ${event?.version}, place ${place}) ${where}`,
      );
    }
    this.#missing = new Map();
  }

  #found(kind: FindingKind, text: string): void {
    this.findings[kind] += 1;
    if (this.findings.evidence.length < MOST_EVIDENCE) this.findings.evidence.push(`${this.#name}: ${kind}: ${text}`);
  }
}

function show({ id, position, sequence, atMs, connection }: Received): string {
  return `${id} (sequence ${Number(sequence)}, position ${position}, ${at(atMs)}, connection ${connection})`;
}

function at(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}
