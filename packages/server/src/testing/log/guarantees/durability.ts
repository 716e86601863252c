import { expect } from '../../assertions/expect.js';
import type { TestRunner } from '../../runner.js';
import { numberedFrom } from '../events.js';
import type { TestedCapabilities } from '../log-kind.js';
import type { Open } from '../open.js';
import { idOf, readAll } from '../recorder.js';

/** What survives after all handles of a log are closed. */
export function describeDurability({ it }: TestRunner, open: Open, { durable }: TestedCapabilities): void {
  if (!durable) return;
  it('[I-4] [I-10] keeps entries, points, birth and secret when it is opened again, and accepts more events', async () => {
    const { log, reopen } = await open();
    const birth = await log.floor();
    const secret = Buffer.from(await log.secret());
    const points = await log.append(numberedFrom(1, 3));
    const again = await reopen();
    expect(await again.floor()).toEqual(birth);
    expect(Buffer.from(await again.secret())).toEqual(secret);
    expect(await again.append(numberedFrom(2, 4))).toEqual([...points.slice(1), await again.head()]);
    for (const point of points) expect(await again.check(point)).toBe('present');
    expect((await readAll(again)).map(idOf)).toEqual(numberedFrom(1, 4).map(({ id }) => id));
  });
}
