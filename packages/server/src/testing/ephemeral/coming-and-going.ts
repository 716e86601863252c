import { setImmediate as turn } from 'node:timers/promises';
import { expect } from '../assertions/expect.js';
import type { TestRunner } from '../runner.js';
import type { EphemeralLog } from './ephemeral-kind.js';
import { join, type Open } from './member.js';

/** Joining and leaving. */
export function describeComingAndGoing({ it }: TestRunner, open: Open): void {
  it('delivers to a new member only later texts, and nothing to or from a member that has left', async () => {
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

  it('ends the members of a log handle that is closed, but not the members of other handles', async () => {
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
