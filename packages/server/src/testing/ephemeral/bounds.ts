import { MAX_EPHEMERAL_BYTES } from '../../core/ports/ephemeral.js';
import { expect } from '../assertions/expect.js';
import { collectNow } from '../garbage.js';
import type { TestRunner } from '../runner.js';
import { join, type Member, type Open } from './member.js';

/** The limits of texts that wait for a member that does not read. */
export function describeBounds({ it }: TestRunner, open: Open, countsAll: boolean): void {
  it('drops and counts a text that is too large, and delivers one of the largest size and the next one', async () => {
    const { log, another } = await open();
    const from = await join(log);
    const to = await join(await another());
    const largest = 'x'.repeat(MAX_EPHEMERAL_BYTES);
    from.send(`${largest}x`);
    expect(from.dropped).toBe(1);
    from.send(largest);
    expect((await to.heard.count(1))[0]?.length).toBe(MAX_EPHEMERAL_BYTES);
    from.send('next');
    expect((await to.heard.count(2))[1]).toBe('next');
    expect(from.dropped).toBe(1);
  });

  const promise = countsAll ? 'each text is received in order, or counted' : 'the received texts are in order';
  it(`[I-7] drops and counts texts beyond the limit: ${promise}`, async () => {
    const { log, another } = await open();
    const from = await join(log);
    const to = await join(await another());
    const padding = 'x'.repeat(20_000);
    collectNow();
    const before = process.memoryUsage();
    for (let n = 0; n < 10_000; n++) from.send(`${n} ${padding}`);
    collectNow();
    const { external, heapUsed } = process.memoryUsage();
    const held = external - before.external + heapUsed - before.heapUsed;
    // The sender has sent 200 MB.
    expect(held).toBeLessThan(100_000_000);
    expect(from.dropped).toBeGreaterThan(5_000);
    if (countsAll) {
      await to.heard.until(() => to.heard.all.length + from.dropped === 10_000, 'all texts to be received or counted');
      from.send('after');
    } else {
      await sendUntilTaken(from, 'after');
    }
    await to.heard.until(() => to.heard.all.at(-1) === 'after', 'the text that was sent last');
    const numbers = to.heard.all.slice(0, -1).map((text) => Number.parseInt(text, 10));
    expect(numbers.length).toBeGreaterThan(0);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(new Set(numbers).size).toBe(numbers.length);
  });
}

/** Sends a text again until it is not dropped. */
async function sendUntilTaken(member: Member, text: string): Promise<void> {
  const dropped = () => {
    const before = member.dropped;
    member.send(text);
    return member.dropped - before;
  };
  await expect.poll(dropped).toEqual(0);
}
