import { setImmediate as turn } from 'node:timers/promises';
import { expect } from '../assertions/expect.js';
import type { TestRunner } from '../runner.js';
import { join, type Open } from './member.js';

const HOSTILE = ['', 'two\nlines\r\n', 'a\0b', '"}{', '👩‍👩‍👧 ü \u2028', 'x'.repeat(1_048_576), 'last'];

/** Delivery and order. */
export function describeHearing({ it }: TestRunner, open: Open): void {
  it('delivers a text to all other members, on each handle of the log, and not to its sender', async () => {
    const { log, another } = await open();
    const first = await join(log);
    const others = [await join(log), await join(await another()), await join(await another())];
    first.send('from first');
    for (const { heard } of others) expect(await heard.count(1)).toEqual(['from first']);
    others[2]?.send('from third');
    expect(await first.heard.count(1)).toEqual(['from third']);
    expect(await others[0]?.heard.count(2)).toEqual(['from first', 'from third']);
    first.send('again');
    for (const { heard } of others) await heard.until(() => heard.all.at(-1) === 'again', 'the last');
    expect(others.map(({ heard }) => heard.all.length)).toEqual([3, 3, 2]);
    expect(first.heard.all).toEqual(['from third']);
  });

  it('delivers texts of any content and size unchanged', async () => {
    const { log, another } = await open();
    const from = await join(log);
    const to = await join(await another());
    for (const text of HOSTILE) from.send(text);
    expect(await to.heard.count(HOSTILE.length)).toEqual(HOSTILE);
  });

  it('[I-1] delivers the texts of one member in order, even if others send at the same time', async () => {
    const { log, another } = await open();
    const senders = [await join(log), await join(await another()), await join(log)];
    const { heard } = await join(await another());
    for (let n = 0; n < 2_000; n++) {
      for (const [who, sender] of senders.entries()) sender.send(`${who} ${n}`);
      if (n % 100 === 0) await turn();
    }
    const all = await heard.count(6_000);
    for (const who of senders.keys()) {
      const ofOne = all.filter((text) => text.startsWith(`${who} `));
      expect(ofOne).toEqual(Array.from({ length: 2_000 }, (_, n) => `${who} ${n}`));
    }
  });

  it('does not append texts to the log', async () => {
    const { log, another } = await open();
    const before = await log.head();
    const from = await join(log);
    const to = await join(await another());
    from.send('not an event');
    await to.heard.count(1);
    expect(await log.head()).toEqual(before);
  });
}
