import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { CDPSession, Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { afterTest } from '../../support/cleanup.js';
import { describeInBrowser } from '../../support/pages/browser.js';
import { UsersApp, user } from '../../support/pages/users-app.js';
import { bannerBecomes, logCount, openOnline, rows, stateBecomes } from '../../support/pages/users-page.js';
import { eventually } from '../../support/waiting.js';

const ARTEFACTS = join(import.meta.dirname, '../../../artefacts/screenshots');
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

describeInBrowser('The states of the page', (open) => {
  it('[I-4] are each drawn in light and dark, from 360 to 1440 px, without an axe violation: empty, live, a form error, an outage, back, another log, opened in an outage', async () => {
    const app = await UsersApp.start();
    const page = await open({ width: 1440, height: 900 });
    const look = await lookingAt(page);

    await openOnline(page, app);
    await eventually(
      () => page.locator('#users .empty, #log .empty').filter({ visible: true }).count(),
      (count) => count === 2,
    );
    expect(await page.locator('#users .empty').innerText()).toContain('No users yet');
    await look('empty');

    await someLife(app);
    await eventually(
      () => rows(page),
      (names) => names.length === LIFE && names.includes('Grace Hopper'),
    );
    await look('live');

    await page.click('#add-user');
    await page.fill('#user-id', '1');
    await page.fill('#user-email', 'nowhere');
    await page.keyboard.press('Enter');
    await eventually(
      () => page.textContent('#user-name-error'),
      (text) => text === 'Enter a name.',
    );
    await look('form');
    await page.keyboard.press('Escape');

    await app.gateway.kill('SIGKILL');
    await bannerBecomes(page, /The gateway cannot be reached/);
    await app.put(user('meanwhile'));
    await bannerBecomes(page, /1 event waits in the log/);
    await look('outage');
    await app.startGateway();
    await bannerBecomes(page, /^Back after .*: 1 event caught up, 0 missed/);
    await page.hover('#banner');
    await look('back');

    await replaceLog(app);
    await app.put(user('afterwards'));
    await app.startGateway();
    await bannerBecomes(page, /everything was read anew The log was replaced by another one\./);
    await eventually(
      () => logCount(page),
      (count) => count === 1,
    );
    expect(await page.locator('#log .note').first().textContent()).toMatch(/replaced/i);
    expect((await rows(page)).sort()).toEqual((await app.users()).map(({ name }) => name).sort());
    await look('replaced');

    await app.gateway.kill('SIGKILL');
    await page.reload();
    await bannerBecomes(
      page,
      /^The gateway cannot be reached .* The page fills itself as soon as the gateway answers\./,
    );
    // Unknown values are shown as a dash, so that they do not look like an answer.
    expect(await page.locator('h2 .count').allInnerTexts()).toEqual(['–', '–']);
    expect(await page.locator('body').innerText()).not.toMatch(/\b0 users|No users yet|Nothing has happened|No events/);
    expect(await page.locator('#users .bones').isVisible()).toBe(true);
    await look('cold');

    // Another server on the gateway's port, which tells clients not to reconnect.
    const refusing = new WebSocketServer({ port: app.gatewayPort, host: '127.0.0.1' });
    afterTest(() => refusing.close());
    refusing.on('connection', (socket) => socket.close(4500, 'this page may not come in'));
    const text = await bannerBecomes(page, /^The gateway refused this page .*Try again/);
    expect(text).toContain('this page may not come in');
    expect(text).not.toContain('Next attempt');
    expect(await page.innerText('#state')).toBe('Refused');
    for (const socket of refusing.clients) socket.terminate();
    await new Promise((resolve) => refusing.close(resolve));

    // [fault G2] A browser does not say why its WebSocket failed, so the page asks over HTTP, and its policy allows
    // that.
    await app.startGateway('--allowed-origin=https://another.example');
    await page.reload();
    const why = await bannerBecomes(page, /^The gateway refused this page .*Try again/);
    expect(why).toContain('allowedOrigins');
    await app.gateway.kill('SIGKILL');
    await app.startGateway();
    await page.click('#banner .retry');
    await stateBecomes(page, 'online');
  }, 300_000);
});

/** A typical number of users after some use. */
const LIFE = 24;

async function someLife(app: UsersApp): Promise<void> {
  await Promise.all(Array.from({ length: LIFE }, (_, i) => app.put(user(i + 1))));
  await app.put({ id: '1', name: 'Grace Hopper', email: user(1).email });
  await app.put({
    id: '2',
    name: 'Wolfeschlegelsteinhausenbergerdorff, Hubert Blaine',
    email: 'a.long.address@a.long.domain.example.com',
  });
  await app.put(user('gone'));
  await app.delete('gone');
}

/** Ends both processes and leaves an empty log for the next ones. */
async function replaceLog(app: UsersApp): Promise<void> {
  await app.gateway.kill();
  await app.application.kill();
  for (const suffix of ['', '-wal', '-shm']) writeFileSync(app.logFile + suffix, '');
  await app.startApplication();
}

const SIZES = [
  [1440, 900],
  [1024, 768],
  [820, 1180],
  [360, 780],
] as const;

/** Below this width the panes become tabs. */
const TWO_COLUMNS = 1_024;

/**
 * Returns a function that takes a screenshot of the page in each size and colour scheme, and runs axe on it. One page
 * is resized, so that an outage need not be repeated for each screenshot.
 */
async function lookingAt(page: Page): Promise<(name: string) => Promise<void>> {
  mkdirSync(ARTEFACTS, { recursive: true });
  const session = await page.context().newCDPSession(page);
  return async (name) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const [width, height] of SIZES) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height });
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
        await stillness(page);
        await page.screenshot({ path: join(ARTEFACTS, `${name}-${width}-${colorScheme}.png`) });
        expect(await violations(page, session), `${name} ${width} ${colorScheme}`).toEqual([]);
        if (width >= TWO_COLUMNS || name === 'form') continue;
        await page.click('#tab-log');
        expect(await overlappingRows(page), `${name} ${width}`).toBe(0);
        await page.screenshot({ path: join(ARTEFACTS, `${name}-log-${width}-${colorScheme}.png`) });
        await page.click('#tab-users');
      }
    }
    await page.setViewportSize({ width: 1440, height: 900 });
  };
}

/** How many rows of the log overlap the row above them in the first painted frame. */
function overlappingRows(page: Page): Promise<number> {
  return page.locator('#log .entries > li').evaluateAll(async (rows) => {
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    const boxes = rows.map((row) => row.getBoundingClientRect()).sort((a, b) => a.top - b.top);
    return boxes.filter(({ top }, index) => top < (boxes[index - 1]?.bottom ?? top) - 1).length;
  });
}

/**
 * Waits for short animations. A change glows for a moment, and so does a new colour scheme, but the check is about the
 * page at rest.
 */
function stillness(page: Page): Promise<unknown> {
  return page.evaluate(() => {
    const passing = document
      .getAnimations()
      .filter(({ effect }) => Number(effect?.getComputedTiming().endTime) < 1_000);
    return Promise.allSettled(passing.map(({ finished }) => finished));
  });
}

/**
 * The violations that axe finds, named by its rules. The policy of the page allows no foreign script, so axe is loaded
 * over the debugger.
 */
async function violations(page: Page, session: CDPSession): Promise<string[]> {
  const isThere = await page.evaluate(() => Reflect.has(window, 'axe'));
  if (!isThere) await session.send('Runtime.evaluate', { expression: `${AXE};0` });
  return page.evaluate(async () => {
    const { violations: found } = await Reflect.get(window, 'axe').run(document);
    return found.map(
      ({ id, nodes }: { id: string; nodes: { target: string[] }[] }) =>
        `${id}: ${nodes.map(({ target }) => target).join(', ')}`,
    );
  });
}
