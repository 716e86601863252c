import { encodeSequence } from '@pregon/protocol';
import { expect } from '../../assertions/expect.js';
import type { TestRunner } from '../../runner.js';
import { numbered } from '../events.js';
import type { TestedCapabilities } from '../log-kind.js';
import type { Open } from '../open.js';

/** Locating the point of a sequence of a source. */
export function describeLocating({ it }: TestRunner, open: Open, can: TestedCapabilities): void {
  const at = (n: number, source: string) => numbered(n, { id: `${source}-${n}`, source, sequence: encodeSequence(n) });

  it('[I-6] a sequence is located at the last entry of its source up to it, once the log has reached it', async () => {
    const { log } = await open();
    const birth = await log.floor();
    expect(await log.locate(0, '/a')).toEqual(birth);
    expect(await log.locate(1, '/a')).toBeUndefined();
    const points = await log.append([at(2, '/a'), at(1, '/b'), at(4, '/a'), numbered(9, { sequence: undefined })]);
    expect(await log.locate(0, '/a')).toEqual(birth);
    expect(await log.locate(1, '/a')).toEqual(birth);
    expect(await log.locate(2, '/a')).toEqual(points[0]);
    expect(await log.locate(3, '/a')).toEqual(points[0]);
    expect(await log.locate(4, '/a')).toEqual(points[2]);
    expect(await log.locate(5, '/a')).toBeUndefined();
    expect(await log.locate(1, '/b')).toEqual(points[1]);
    expect(await log.locate(2, '/b')).toBeUndefined();
    expect(await log.locate(3, undefined)).toEqual(points[0]);
    expect(await log.locate(4, undefined)).toEqual(points[2]);
    expect(await log.locate(1, '/unknown')).toBeUndefined();
  });

  if (can.trim) {
    it('[I-6] a sequence whose entry was dropped cannot be located', async () => {
      const { log, trim } = await open();
      const points = await log.append([at(1, '/a'), at(2, '/a'), at(3, '/a'), at(5, '/b')]);
      await trim(2);
      expect(await log.locate(0, '/a')).toBeUndefined();
      expect(await log.locate(2, '/a')).toBeUndefined();
      expect(await log.locate(3, '/a')).toEqual(points[2]);
      expect(await log.locate(4, '/b')).toEqual(await log.floor());
    });

    it('[fault F4] [I-6] the last sequence of a source is located at the floor after all entries were dropped', async () => {
      const { log, trim } = await open();
      await log.append([at(1, '/a'), at(1, '/b'), at(2, '/b'), at(3, '/a'), numbered(9, { sequence: undefined })]);
      await trim(0);
      const floor = await log.floor();
      for (const [sequence, source] of [
        [3, '/a'],
        [2, '/b'],
        [3, undefined],
      ] as const) {
        expect(await log.locate(sequence, source)).toEqual(floor);
      }
      for (const sequence of [0, 1, 2, 4]) expect(await log.locate(sequence, '/a')).toBeUndefined();
      expect(await log.locate(1, '/unknown')).toBeUndefined();
      const [point] = await log.append([at(4, '/a')]);
      expect(await log.locate(4, '/a')).toEqual(point);
      expect(await log.locate(2, '/b')).toBeUndefined();
    });
  }
}
