import { describe, expect, it } from 'vitest';
import type { StreamEntry } from '../../../src/logs/rabbitmq/messages/stream-entry.js';
import { RecentSequences } from '../../../src/logs/rabbitmq/reading/recent-sequences.js';

function entry(offset: number, sequence: number | undefined, source = '/a'): StreamEntry {
  const point = { offset, fingerprint: offset * 7 };
  const event = { ...point, exchange: 'x', topic: 't', type: 'T', source, sequence, payload: Buffer.from('{}') };
  const attributes = { time: undefined, subject: undefined, traceparent: undefined };
  return { kind: 'event', ...point, event, key: `${source} ${offset}`, id: String(offset), attributes };
}

function remember(sequences: RecentSequences, from: number, numbers: readonly (number | undefined)[]): void {
  for (const [index, sequence] of numbers.entries()) sequences.add(entry(from + index, sequence));
}

describe('remembered sequences', () => {
  it('[I-6] keep their point if a relay appends their events again', () => {
    const sequences = new RecentSequences();
    remember(sequences, 1, [5, 6, 7, 5, 6, 7, undefined, 8]);
    expect(sequences.locate(7, '/a')).toEqual({ reached: true, point: { offset: 3, fingerprint: 21 } });
    expect(sequences.locate(9, '/a')).toMatchObject({ reached: false });
    expect(sequences.locate(4, '/a')).toEqual({ reached: true, point: undefined });
  });

  it('[I-6] that begin amid a repeated batch locate nothing before their beginning', () => {
    const sequences = new RecentSequences();
    remember(sequences, 50, [9, 10, 5, 6, 7, 8, 9, 10, 11]);
    expect(sequences.locate(7, '/a')).toEqual({ reached: true, point: undefined });
    expect(sequences.locate(10, '/a').point?.offset).toBe(51);
  });

  it('[I-7] number at most the limit, and at least half of it', () => {
    const sequences = new RecentSequences(10);
    for (let n = 1; n <= 1_000; n++) {
      sequences.add(entry(n, n));
      expect(n - sequences.after).toBeLessThanOrEqual(10);
      if (n > 5) expect(n - sequences.after).toBeGreaterThanOrEqual(5);
    }
    expect(sequences.locate(1_000, '/a').point?.offset).toBe(1_000);
    expect(sequences.locate(1, '/a')).toEqual({ reached: true, point: undefined });
  });

  it('[I-6] end at a gap in the read entries, but not at entries that are read again', () => {
    const sequences = new RecentSequences();
    remember(sequences, 1, [1, 2, 3]);
    sequences.readFrom(2);
    remember(sequences, 2, [2, 3, 4]);
    expect(sequences.locate(1, '/a').point?.offset).toBe(1);
    sequences.readFrom(9);
    remember(sequences, 9, [8]);
    expect(sequences.after).toBe(8);
    expect(sequences.locate(4, '/a')).toEqual({ reached: true, point: undefined });
  });
});
