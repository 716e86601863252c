import { expect } from '../../assertions/expect.js';
import type { TestRunner } from '../../runner.js';
import { numbered, numberedFrom } from '../events.js';
import type { Open } from '../open.js';
import { Recorder } from '../recorder.js';

/** What close ends, and what it waits for. */
export function describeClosing({ it }: TestRunner, open: Open): void {
  it('refuses every call after close, and allows another close', async () => {
    const { log } = await open();
    const head = await log.head();
    const recorder = new Recorder();
    log.follow(head, recorder);
    await log.close();
    await log.close();
    const closed = { code: 'LOG_CLOSED' };
    await expect(log.append([numbered(1)])).rejects.toMatchObject(closed);
    await expect(log.head()).rejects.toMatchObject(closed);
    await expect(log.floor()).rejects.toMatchObject(closed);
    await expect(log.check(head)).rejects.toMatchObject(closed);
    await expect(log.read({ after: 0 })).rejects.toMatchObject(closed);
    await expect(log.locate(1, undefined)).rejects.toMatchObject(closed);
    expect(() => log.follow(head, recorder)).toThrow(closed);
    expect(recorder.calls).toEqual([]);
  });

  it('[I-10] finishes appends that began before close', async () => {
    const { log } = await open();
    const appended = log.append(numberedFrom(1, 700));
    const [points] = await Promise.all([appended, log.close()]);
    expect(points).toHaveLength(700);
  });
}
