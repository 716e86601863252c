import { setTimeout as delay } from 'node:timers/promises';
import type { Link } from '../parts/link.js';
import type { Part } from '../parts/part.js';
import type { Random } from '../random.js';
import type { RevocationKind } from '../verification/truth.js';
import type { Fault } from './fault.js';

export interface Targets {
  readonly parts: readonly Part[];
  readonly links: readonly Link[];
  /** Revokes the tokens of some user, or blocks one. @returns the user, or undefined if there is none now */
  revoke(kind: RevocationKind): string | undefined;
}

/** Injects the faults of a schedule, each at its time; faults of different targets may overlap. */
export class Injection {
  /** The injected faults, with their actual times. */
  readonly done: Fault[] = [];
  readonly #targets: Targets;
  readonly #random: Random;
  readonly #note: (line: string) => void;
  /** The current fault of each target, so that the next one begins after its end. */
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();

  constructor(targets: Targets, random: Random, note: (line: string) => void) {
    this.#targets = targets;
    this.#random = random;
    this.#note = note;
  }

  /**
   * Resolves when the last fault is over and every target is restored.
   * @throws the error of a part that cannot be started again
   */
  async run(schedule: readonly Fault[]): Promise<void> {
    const begun = performance.now();
    for (const fault of schedule) {
      await this.#sleep(fault.atMs - (performance.now() - begun));
      if (this.#stop.signal.aborted) break;
      const before = this.#underWay.get(fault.target) ?? Promise.resolve();
      const now = before.then(() => this.#inject({ ...fault, atMs: Math.round(performance.now() - begun) }));
      // `run` awaits it below; until then a failure must not count as an unhandled rejection.
      now.catch(() => this.#stop.abort());
      this.#underWay.set(fault.target, now);
    }
    await Promise.all(this.#underWay.values());
  }

  async #inject(fault: Fault): Promise<void> {
    const { kind, target, durationMs } = fault;
    this.#note(`${kind} ${target}${durationMs > 0 ? ` for ${durationMs} ms` : ''}`);
    this.done.push(fault);
    switch (kind) {
      case 'kill':
        await this.#part(target).kill();
        await this.#sleep(durationMs);
        await this.#part(target).start();
        break;
      case 'kill a process of':
        await this.#part(target).killOneInside();
        break;
      case 'restart':
        await this.#part(target).restart(() => this.#sleep(durationMs));
        break;
      case 'freeze process':
        this.#part(target).freeze();
        await this.#sleep(durationMs);
        this.#part(target).thaw();
        break;
      case 'freeze link':
        this.#link(target).freeze();
        await this.#sleep(durationMs);
        this.#link(target).thaw();
        break;
      case 'revoke':
      case 'block':
        this.#note(`${kind} ${this.#targets.revoke(kind)}`);
        break;
      case 'cut all':
        this.#link(target).cut(1, this.#random);
        break;
      case 'cut some':
        this.#link(target).cut(0.5, this.#random);
        break;
    }
    this.#note(`restored ${target}`);
  }

  #part(name: string): Part {
    const part = this.#targets.parts.find((candidate) => candidate.name === name);
    if (part === undefined) throw new RangeError(`there is no part ${name}`);
    return part;
  }

  #link(name: string): Link {
    const link = this.#targets.links.find((candidate) => candidate.name === name);
    if (link === undefined) throw new RangeError(`there is no link ${name}`);
    return link;
  }

  async #sleep(ms: number): Promise<void> {
    if (ms <= 0 || this.#stop.signal.aborted) return;
    await delay(ms, undefined, { signal: this.#stop.signal }).catch((error: unknown) => {
      if (!this.#stop.signal.aborted) throw error;
    });
  }
}
