import { describe, expect, it } from 'vitest';
import { heapFlags } from '../../src/workers/heap-flags.js';

describe('the flags of workers', () => {
  it('keep the young generation small, in addition to the flags of this process', () => {
    expect(heapFlags([])).toEqual(['--max-semi-space-size=2']);
    expect(heapFlags(['--cpu-prof'], '--max-old-space-size=4096')).toEqual(['--max-semi-space-size=2', '--cpu-prof']);
  });

  it.each([
    [['--max-semi-space-size=32'], undefined],
    [['--min_semi_space_size=8'], ''],
    [[], '--enable-source-maps --max-semi-space-size=16'],
  ])('keep a size that was set explicitly: %j %s', (execArgv, nodeOptions) => {
    expect(heapFlags(execArgv, nodeOptions)).toEqual(execArgv);
  });
});
