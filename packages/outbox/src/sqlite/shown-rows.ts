import { decodeSequence } from '@pregon/protocol';
import type { OutboxBatch } from '../relay-source.js';

interface Run {
  readonly from: number;
  readonly to: number;
}

/**
 * The sequences of the rows that a relay has read and not removed. Only these may be removed: a row that another
 * program inserts into a gap between them was not relayed.
 */
export class ShownRows {
  #sequences: number[] = [];

  /** Records a batch that was read after a sequence. It replaces what was read beyond that sequence before. */
  add(after: number, { events, unreadable = [] }: OutboxBatch): void {
    while ((this.#sequences.at(-1) ?? after) > after) this.#sequences.pop();
    for (const { sequence } of events) this.#sequences.push(decodeSequence(sequence ?? '') ?? after);
    if (unreadable.length === 0) return;
    this.#sequences.push(...unreadable.map(({ sequence }) => sequence));
    this.#sequences.sort((a, b) => a - b);
  }

  /** Returns the recorded sequences as runs of consecutive ones, ascending. */
  runsUpTo(through: number): Run[] {
    const runs: { from: number; to: number }[] = [];
    for (const sequence of this.#sequences) {
      if (sequence > through) break;
      const last = runs.at(-1);
      if (last?.to === sequence - 1) last.to = sequence;
      else runs.push({ from: sequence, to: sequence });
    }
    return runs;
  }

  dropUpTo(through: number): void {
    this.#sequences = this.#sequences.filter((sequence) => sequence > through);
  }
}
