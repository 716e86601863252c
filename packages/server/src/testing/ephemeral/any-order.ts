import { setImmediate as turn } from 'node:timers/promises';
import { expect } from '../assertions/expect.js';
import { forAll, type Random } from '../random.js';
import type { TestRunner } from '../runner.js';
import { join, type Member, type Open } from './member.js';

/** One of five members joins, leaves, or sends the next number; or an event loop turn passes. */
interface Step {
  readonly who: number;
  readonly what: 'join' | 'leave' | 'send' | 'turn';
}

function anyStep(random: Random): Step {
  return { who: random.integer(0, 4), what: random.pick('join', 'leave', 'send', 'send', 'turn') };
}

/** Order and no duplicates, for any order of joins and leaves. */
export function describeAnyOrder({ it }: TestRunner, open: Open, seed: number | undefined): void {
  it('whenever members join and leave, each receives every text that others send meanwhile, once and in order', async () => {
    const { log, another } = await open();
    const handles = [log, await another()];
    await forAll(async (random) => {
      const there = new Map<number, { member: Member; expected: string[] }>();
      let next = 0;
      for (const { who, what } of random.list(0, 40, () => anyStep(random))) {
        const one = there.get(who);
        if (what === 'join' && !one) {
          there.set(who, { member: await join(handles[who % 2] ?? log), expected: [] });
        } else if (what === 'leave' && one) {
          there.delete(who);
          await one.member.leave();
        } else if (what === 'send' && one) {
          const text = `${who} ${next++}`;
          one.member.send(text);
          for (const other of there.values()) if (other !== one) other.expected.push(text);
        } else if (what === 'turn') {
          await turn();
        }
      }
      for (const { member, expected } of there.values()) {
        const { heard } = member;
        await heard.until(() => expected.every((text) => heard.all.includes(text)), 'all expected texts');
        await member.leave();
        for (let who = 0; who < 5; who++) {
          const numbers = heard.all.filter((text) => text.startsWith(`${who} `)).map((text) => Number(text.slice(2)));
          expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
        }
      }
    }, seed);
  });
}
