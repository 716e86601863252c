import { expect, it, vi } from 'vitest';
import { LogQueue } from '../../src/cli/logging/log-queue.js';

const droppedLine = (count: number) => `dropped ${count}\n`;

it.each([
  ['at once', (count: number) => count],
  ['later', (count: number) => Promise.resolve(count)],
])(
  '[I-8] a sink that reports %s that it took nothing is tried again after a pause, not in an endless loop',
  async (_, answer) => {
    const written: string[] = [];
    let refusals = 3;
    const sink = {
      maxBytes: 4_096,
      write(bytes: Buffer) {
        if (refusals-- > 0) return answer(0);
        written.push(bytes.toString());
        return answer(bytes.length);
      },
    };
    const queue = new LogQueue({ sink, droppedLine });
    queue.write('one\n');
    queue.write('two\n');
    await vi.waitFor(() => expect(written.join('')).toBe('one\ntwo\n'), { timeout: 60_000 });
    expect([queue.dropped, refusals]).toEqual([0, -1]);
  },
);
