import { type Counts, type Entries, largest, PERIOD_MS, STALE_MS } from '../core/counts/counts.js';
import type { Clock } from '../core/time/clock.js';

/** A process that counts clients. */
export interface CountingProcess {
  /** Whether it reads messages. */
  readonly isServing: boolean;
  /** @param written called when the next message can be sent; never, if the process is stuck or ends */
  tellCounts(counts: Counts, written: () => void): void;
}

type Sums = Map<string, number>;

/** The kinds of counts that are added up. */
type Kind = 'addresses' | 'identities' | 'handshakes' | 'failures';

/** What a process reported, and what it was told. */
class Member {
  addresses: Sums = new Map();
  identities: Sums = new Map();
  readonly handshakes: Sums = new Map();
  readonly failures: Sums = new Map();
  heardAt = Number.NEGATIVE_INFINITY;
  isStale = false;
  /** The version of the open connections that the process was told last. */
  told = 0;
  isWriting = false;

  get hasOpen(): boolean {
    return !this.isStale && this.addresses.size + this.identities.size > 0;
  }
}

/**
 * Adds up the counts of several processes, and tells each of them what the others have. The timer runs only while there
 * is something to tell.
 */
export class CountBoard<Process extends CountingProcess> {
  readonly #clock: Clock;
  readonly #members = new Map<Process, Member>();
  /** Increases with each change of open connections. */
  #version = 0;
  #isAwake = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  join(process: Process): void {
    this.#members.set(process, new Member());
    this.#wake();
  }

  /** Forgets a process that has ended, and with it the counts of its connections, which have closed. */
  leave(process: Process): void {
    if (this.#members.get(process)?.hasOpen) this.#version += 1;
    this.#members.delete(process);
    this.#wake();
  }

  /** Takes the report of a process. */
  report(process: Process, { open, handshakes, failures }: Counts): void {
    const member = this.#members.get(process);
    if (!member) return;
    if (open || member.isStale) this.#version += 1;
    if (open) {
      member.addresses = new Map(open.addresses);
      member.identities = new Map(open.identities);
    }
    member.isStale = false;
    member.heardAt = this.#clock.now();
    addTo(member.handshakes, handshakes);
    addTo(member.failures, failures);
    this.#wake();
  }

  #wake(): void {
    if (this.#isAwake) return;
    this.#isAwake = true;
    this.#clock.after(PERIOD_MS, () => this.#tick());
  }

  #tick(): void {
    this.#isAwake = false;
    const members = [...this.#members.values()];
    const now = this.#clock.now();
    for (const member of members) {
      if (!member.hasOpen || now - member.heardAt <= STALE_MS) continue;
      member.isStale = true;
      this.#version += 1;
    }
    const hasOpen = members.some((member) => member.hasOpen);
    const sums = this.#sums();
    for (const [process, member] of this.#members) this.#tell(process, member, sums, hasOpen);
    for (const { handshakes, failures } of members) {
      handshakes.clear();
      failures.clear();
    }
    if (hasOpen || members.some(({ told }) => told !== this.#version)) this.#wake();
  }

  #tell(process: Process, member: Member, sums: Readonly<Record<Kind, Entries>>, hasOpen: boolean) {
    if (!process.isServing || member.isWriting) return;
    const handshakes = without(sums.handshakes, member.handshakes);
    const failures = without(sums.failures, member.failures);
    const isNew = member.told !== this.#version;
    // Counts that stay the same are confirmed, so that the process does not take them for stale.
    if (!isNew && !hasOpen && handshakes.length === 0 && failures.length === 0) return;
    const open = {
      addresses: without(sums.addresses, member.isStale ? undefined : member.addresses),
      identities: without(sums.identities, member.isStale ? undefined : member.identities),
    };
    member.told = this.#version;
    member.isWriting = true;
    process.tellCounts({ open: isNew ? open : undefined, handshakes, failures }, () => {
      member.isWriting = false;
    });
  }

  /** The largest sums over all processes. They are chosen once for all, which takes less time than for each process. */
  #sums(): Readonly<Record<Kind, Entries>> {
    const sumOf = (kind: Kind) => {
      const sums: Sums = new Map();
      const isOpen = kind === 'addresses' || kind === 'identities';
      for (const member of this.#members.values()) {
        if (!isOpen || !member.isStale) addTo(sums, member[kind]);
      }
      return largest(sums);
    };
    return {
      addresses: sumOf('addresses'),
      identities: sumOf('identities'),
      handshakes: sumOf('handshakes'),
      failures: sumOf('failures'),
    };
  }
}

function addTo(sums: Sums, entries: Iterable<readonly [string, number]>): void {
  for (const [key, count] of entries) sums.set(key, (sums.get(key) ?? 0) + count);
}

/** The part of the sums that the other processes have. */
function without(sums: Entries, own: ReadonlyMap<string, number> | undefined): Entries {
  return sums.map(([key, sum]) => [key, sum - (own?.get(key) ?? 0)] as const).filter(([, others]) => others > 0);
}
