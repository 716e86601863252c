import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type Ephemeral,
  type EphemeralMember,
  MAX_EPHEMERAL_BYTES,
} from '../../packages/server/src/core/ports/ephemeral.js';
import type { Log } from '../../packages/server/src/core/ports/log.js';
import { collectNow } from '../../packages/server/test/core/support/garbage.js';
import { Inbox } from '../support/gateway/inbox.js';

export interface EphemeralLog extends Log {
  readonly ephemeral: Ephemeral;
}

/** A log under test, new and empty. */
export interface EphemeralSubject {
  readonly log: EphemeralLog;
  /** Another handle on the same log; the same one where the log has no more. */
  another(): Promise<EphemeralLog>;
  /** Closes all handles and cleans up. */
  dispose(): Promise<void>;
}

export interface EphemeralKind {
  readonly name: string;
  /**
   * Whether each text that was dropped is counted. A broker drops the oldest of what waits in a member's queue, and tells nobody: there
   * order and bounds hold, and only what the sender dropped is counted. @default true
   */
  readonly countsAll?: boolean;
  create(): Promise<EphemeralSubject>;
}

/** A member and all that it heard. */
export interface Member extends EphemeralMember {
  readonly heard: Inbox<string>;
}

export async function join(log: EphemeralLog): Promise<Member> {
  const heard = new Inbox<string>();
  const member = await log.ephemeral.join((text) => heard.push(text));
  return {
    heard,
    send: (text) => member.send(text),
    leave: () => member.leave(),
    get dropped() {
      return member.dropped;
    },
  };
}

/** The guarantees of the way between gateways, for any kind of log that has one. */
export function describeEphemeral(kind: EphemeralKind): void {
  describe(`ephemeral: ${kind.name}`, () => {
    const subjects: EphemeralSubject[] = [];
    const open = async (): Promise<EphemeralSubject> => {
      const subject = await kind.create();
      subjects.push(subject);
      return subject;
    };
    afterEach(async () => {
      for (const subject of subjects.splice(0)) await subject.dispose();
    });
    describeHearing(open);
    describeComingAndGoing(open);
    describeBounds(open, kind.countsAll ?? true);
    describeAnyOrder(open);
  });
}

type Open = () => Promise<EphemeralSubject>;

const HOSTILE = ['', 'two\nlines\r\n', 'a\0b', '"}{', '👩‍👩‍👧 ü \u2028', 'x'.repeat(1_048_576), 'last'];

function describeHearing(open: Open): void {
  it('a text is heard by all others, on each handle of the log, and not by who sent it', async () => {
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

  it('texts of any content and size arrive as they are', async () => {
    const { log, another } = await open();
    const from = await join(log);
    const to = await join(await another());
    for (const text of HOSTILE) from.send(text);
    expect(await to.heard.count(HOSTILE.length)).toEqual(HOSTILE);
  });

  it('[I-1] what one sends is heard in order, also where others send at the same time', async () => {
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

  it('nothing of it is logged', async () => {
    const { log, another } = await open();
    const before = await log.head();
    const from = await join(log);
    const to = await join(await another());
    from.send('not an event');
    await to.heard.count(1);
    expect(await log.head()).toEqual(before);
  });
}

function describeComingAndGoing(open: Open): void {
  it('whoever joins later hears what is sent from then on; who left hears nothing, and sends nothing', async () => {
    const { log, another } = await open();
    const from = await join(log);
    from.send('to nobody');
    await turn();
    const stays = await join(await another());
    from.send('1');
    await stays.heard.count(1);
    const leaves = await join(await another());
    from.send('2');
    await leaves.heard.count(1);
    await leaves.leave();
    await leaves.leave();
    leaves.send('from one who left');
    from.send('3');
    expect(await stays.heard.count(3)).toEqual(['1', '2', '3']);
    const late = await join(log);
    from.send('4');
    expect(await late.heard.count(1)).toEqual(['4']);
    expect(leaves.heard.all).toEqual(['2']);
    expect(from.heard.all).toEqual([]);
    expect(from.dropped).toBe(0);
  });

  it('a log that is closed ends its members, and those of other handles go on', async () => {
    const { log, another } = await open();
    const handle = await another();
    if (handle === log) return expectEnded(log);
    const [stays, other] = [await join(handle), await join(handle)];
    await expectEnded(log);
    stays.send('still here');
    expect(await other.heard.count(1)).toEqual(['still here']);
  });
}

async function expectEnded(log: EphemeralLog): Promise<void> {
  const [member, other] = [await join(log), await join(log)];
  await log.close();
  member.send('after the end');
  await member.leave();
  await expect(log.ephemeral.join(() => undefined)).rejects.toMatchObject({ code: 'LOG_CLOSED' });
  expect(other.heard.all).toEqual([]);
}

function describeBounds(open: Open, countsAll: boolean): void {
  it('a text that is too large is dropped and counted; the largest, and what follows, is heard', async () => {
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

  const promise = countsAll ? 'each text is heard, in order, or counted' : 'what is heard is in order';
  it(`[I-7] more than fits is dropped and counted: ${promise}`, async () => {
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
    // 200 MB were sent.
    expect(held).toBeLessThan(100_000_000);
    expect(from.dropped).toBeGreaterThan(5_000);
    if (countsAll) {
      await to.heard.until(() => to.heard.all.length + from.dropped === 10_000, 'all to be heard or counted');
      from.send('after');
    } else {
      await sendUntilTaken(from, 'after');
    }
    await to.heard.until(() => to.heard.all.at(-1) === 'after', 'what was sent afterwards');
    const numbers = to.heard.all.slice(0, -1).map((text) => Number.parseInt(text, 10));
    expect(numbers.length).toBeGreaterThan(0);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(new Set(numbers).size).toBe(numbers.length);
  });
}

/** Sends again where it was dropped, as long as there is no room. */
async function sendUntilTaken(member: Member, text: string): Promise<void> {
  await expect
    .poll(() => {
      const before = member.dropped;
      member.send(text);
      return member.dropped - before;
    })
    .toBe(0);
}

/** Members by number: joins, leaves, or says the next number. */
const step = fc.record({ who: fc.nat({ max: 4 }), what: fc.constantFrom('join', 'leave', 'send', 'send', 'turn') });

function describeAnyOrder(open: Open): void {
  it('whoever comes and goes when: each hears the others in order, each text once, none of those sent while it was there is missing', async () => {
    const { log, another } = await open();
    const handles = [log, await another()];
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const there = new Map<number, { member: Member; expected: string[] }>();
        let next = 0;
        for (const { who, what } of steps) {
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
          await heard.until(() => expected.every((text) => heard.all.includes(text)), 'all that it has to hear');
          await member.leave();
          for (let who = 0; who < 5; who++) {
            const numbers = heard.all.filter((text) => text.startsWith(`${who} `)).map((text) => Number(text.slice(2)));
            expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
          }
        }
      }),
      { numRuns: 25 },
    );
  });
}
