import { expect, it } from 'vitest';
import { emptyProcessMs } from '../../support/machine.js';
import { describeInBrowser } from '../../support/pages/browser.js';
import { describeOnBothEngines, makeChanges, user } from '../../support/pages/users-app.js';
import {
  bannerBecomes,
  logCount,
  openOnline,
  rows,
  rowsBecome,
  state,
  stateBecomes,
  station,
} from '../../support/pages/users-page.js';
import { eventually } from '../../support/waiting.js';

const MARK = 'pregonTestMark';

/** The number of failed attempts of the page, after which exponentially growing delays exceed two seconds. */
const ATTEMPTS = 4;
/** The time from the start of the gateway to the next attempt of the page, unless the machine is too busy. */
const TRIED_WITHIN_MS = 2_000;

await describeOnBothEngines('The page of the reference application in an outage', (start) => {
  describeInBrowser('in a real browser', (open) => {
    it('[fault G6][000-20][000-10][000-15][I-2][I-6] reports the killed gateway, is back within two seconds of its restart, and then has all 1,000 changes', async () => {
      const app = await start();
      const page = await openOnline(await open(), app);
      expect(await app.put(user(1))).toBe(201);
      await rowsBecome(page, [user(1).name]);
      expect(await app.put(user(2))).toBe(201);
      await rowsBecome(page, [user(1).name, user(2).name]);
      expect(await app.put(user(1, 9))).toBe(200);
      await rowsBecome(page, [user(1, 9).name, user(2).name]);
      expect(await app.delete('2')).toBe(204);
      await rowsBecome(page, [user(1, 9).name]);
      // Two events for creations, one for an update, and one for a removal.
      const before = 4;
      await eventually(
        () => logCount(page),
        (count) => count === before,
      );

      await page.evaluate((mark) => Reflect.set(window, mark, 'not reloaded'), MARK);
      const attempts: number[] = [];
      page.on('websocket', () => attempts.push(performance.now()));
      await app.gateway.kill('SIGKILL');
      await bannerBecomes(page, /^The gateway cannot be reached .* does not answer\. .*Retry now/);
      expect(await page.locator('#users .asof').innerText()).toMatch(/^as of \d\d:\d\d:\d\d$/);
      expect(await rows(page)).toEqual([user(1, 9).name]);
      expect(await page.locator('#dare .text').innerText()).toMatch(/npm run gateway$/);
      await makeChanges(app, 1_000);
      // The application part of the page goes on, and counts the events that wait for the page.
      await eventually(
        () => station(page, 'log'),
        ({ lamp, text }) => lamp === 'live' && text.includes('1,000 waiting'),
      );
      await bannerBecomes(page, /Nothing is lost: 1,000 events wait in the log\./);
      expect((await station(page, 'gateway')).lamp).toBe('bad');
      expect(await state(page)).toBe('waiting');
      await eventually(
        () => attempts.length,
        (count) => count >= ATTEMPTS,
      );
      await app.startGateway();
      const began = performance.now();
      await stateBecomes(page, 'online');
      const tried = attempts.at(-1) ?? Number.POSITIVE_INFINITY;
      expect(tried - began, 'time from the start of the gateway to the next attempt').toBeLessThan(
        Math.max(TRIED_WITHIN_MS, 40 * emptyProcessMs()),
      );
      await bannerBecomes(page, /^Back after [\dmins ]+: 1,000 events caught up, 0 missed/);
      await eventually(
        () => logCount(page),
        (count) => count === before + 1_000,
      );
      expect(await page.locator('#log .entry.note').first().innerText()).toMatch(
        /^Online again at .*: 1,000 events below/,
      );
      const names = (await app.users()).map(({ name }) => name).sort();
      await eventually(
        async () => (await rows(page)).sort(),
        (seen) => JSON.stringify(seen) === JSON.stringify(names),
      );
      expect(await page.evaluate((mark) => Reflect.get(window, mark), MARK)).toBe('not reloaded');
      expect(await page.locator('.pane[data-stale]').count()).toBe(0);
    });
  });
});
