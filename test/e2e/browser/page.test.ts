import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { openLog } from 'pregon';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/cleanup.js';
import { describeInBrowser } from '../../support/pages/browser.js';
import { UsersApp, user } from '../../support/pages/users-app.js';
import { focusedUser, logCount, openOnline, rows, rowsBecome, station } from '../../support/pages/users-page.js';
import { eventually } from '../../support/waiting.js';

/** A property that marks an element: a rebuilt element would not have it. */
const MARK = 'pregonTestMark';

describeInBrowser('The page of the reference application', (open) => {
  let app: UsersApp;

  beforeAll(async () => {
    app = await UsersApp.startForFile();
  });

  beforeEach(() => app.clear());

  const putAll = (...ids: number[]) => Promise.all(ids.map((id) => app.put(user(id))));

  it('[000-20][000-10][000-15] adds a row or edits it in place after a save, and removes it after a delete', async () => {
    const page = await openOnline(await open(), app);
    expect(await app.put(user(1))).toBe(201);
    await rowsBecome(page, [user(1).name]);
    expect(await app.put(user(2))).toBe(201);
    await rowsBecome(page, [user(1).name, user(2).name]);
    expect(await app.put(user(1, 9))).toBe(200);
    await rowsBecome(page, [user(1, 9).name, user(2).name]);
    expect(await app.delete('2')).toBe(204);
    await rowsBecome(page, [user(1, 9).name]);
  });

  it('[000-21] keeps the DOM nodes of unchanged rows, and makes no request after the first', async () => {
    await putAll(1, 2, 3, 4, 5);
    const page = await openOnline(await open(), app);
    await eventually(
      () => rows(page),
      (names) => names.length === 5,
    );
    await page.evaluate((mark) => {
      for (const row of document.querySelectorAll('#users tbody tr[data-id]'))
        Reflect.set(row, mark, row.querySelector('.id')?.textContent);
    }, MARK);
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    await app.put(user(3, 1));
    await app.delete('4');
    await app.put(user(6));
    await rowsBecome(page, [user(1).name, user(2).name, user(3, 1).name, user(5).name, user(6).name]);
    const marks = await page.evaluate((mark) => {
      return [...document.querySelectorAll('#users tbody tr[data-id]')].map((row) => Reflect.get(row, mark) ?? null);
    }, MARK);
    expect(marks).toEqual(['1', '2', '3', '5', null]);
    expect(requests).toEqual([]);
  });

  it('[000-21] does not double its rows when a second page is opened', async () => {
    await putAll(1, 2, 3);
    const first = await openOnline(await open(), app);
    await rowsBecome(first, [user(1).name, user(2).name, user(3).name]);
    const entries = await logCount(first);
    const second = await openOnline(await open(), app);
    await app.put(user(4));
    for (const page of [second, first]) {
      await eventually(
        () => rows(page),
        (names) => names.length === 4,
      );
    }
    expect(await rows(first)).toEqual(await rows(second));
    expect(await logCount(first)).toBe(entries + 1);
  });

  it('[000-22] shows in the right column the log of all events, including those before it was opened', async () => {
    await app.put({ id: 'h1', name: 'Ada', email: 'ada@example.com' });
    await app.put({ id: 'h1', name: 'Grace', email: 'ada@example.com' });
    const page = await openOnline(await open(), app);
    await page.fill('#filter', 'user.h1.*');
    await app.delete('h1');
    const lines = await eventually(
      () => page.locator('#log .entries .event').allInnerTexts(),
      (texts) => texts.length === 3,
    );
    const parts = lines.map((line) => line.replaceAll(/\s+/g, ' ').replace(/^[\d:. ]+/, ''));
    expect(parts).toEqual([
      expect.stringMatching(/^Deleted user h1 was Grace/),
      expect.stringMatching(/^Updated user h1 name: Ada → Grace/),
      expect.stringMatching(/^Created user h1 Ada, ada@example.com/),
    ]);
    // The part of the topic that the filter names is highlighted, and the verb has an icon as well as a colour.
    expect(await page.locator('#log .topic').first().locator('mark').allTextContents()).toEqual(['user', 'h1']);
    const icons = await page
      .locator('#log .entries .verb use')
      .evaluateAll((uses) => uses.map((use) => use.getAttribute('href')));
    expect(icons).toEqual(['#icon-minus', '#icon-edit', '#icon-add']);
  });

  it('[000-20] adds a user by the form, and shows a refusal of the application as a sentence at the field', async () => {
    await app.put(user(42));
    const page = await openOnline(await open(), app);
    await rowsBecome(page, [user(42).name]);
    await page.click('#add-user');
    const error = (field: string) => page.textContent(`#user-${field}-error`);
    await page.fill('#user-id', '42');
    await page.fill('#user-email', 'nowhere');
    await page.keyboard.press('Enter');
    await eventually(
      () => error('name'),
      (text) => text === 'Enter a name.',
    );
    expect(await error('email')).toBe('Enter a whole e-mail address, such as ada@example.com.');
    expect(await page.inputValue('#user-email')).toBe('nowhere');
    await page.fill('#user-name', 'Ada Lovelace');
    await page.fill('#user-email', 'ada@example.com');
    await page.keyboard.press('Enter');
    await eventually(
      () => error('id'),
      (text) => text === 'The Id 42 is taken. Choose another one.',
    );
    await page.fill('#user-id', '43');
    await page.keyboard.press('Enter');
    await rowsBecome(page, [user(42).name, 'Ada Lovelace']);
    expect((await app.users()).map(({ name }) => name)).toEqual([user(42).name, 'Ada Lovelace']);
  });

  it('has one keyboard stop for the table; after delete and undo the focus is on the next row and on the restored one', async () => {
    await putAll(1, 2, 3);
    const page = await openOnline(await open(), app);
    await rowsBecome(page, [user(1).name, user(2).name, user(3).name]);
    const stops = page.locator('#users tbody :is(tr[data-id], button)[tabindex="0"]');
    expect(await stops.count()).toBe(1);
    await page.locator('#users tr[data-id="1"]').focus();
    await page.keyboard.press('ArrowDown');
    expect(await focusedUser(page)).toBe('2');
    await page.keyboard.press('End');
    expect(await focusedUser(page)).toBe('3');
    await page.keyboard.press('ArrowUp');
    expect(await stops.count()).toBe(1);
    await page.keyboard.press('Delete');
    await rowsBecome(page, [user(1).name, user(3).name]);
    expect(await focusedUser(page)).toBe('3');
    await page.locator('.toast .action').press('Enter');
    await rowsBecome(page, [user(1).name, user(2).name, user(3).name]);
    await eventually(
      () => focusedUser(page),
      (id) => id === '2',
    );
    // The last row has no next one, so the focus moves to the one before.
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    expect(await page.evaluate(() => document.activeElement?.ariaLabel)).toBe(`Delete ${user(3).name}`);
    await page.keyboard.press('Enter');
    await rowsBecome(page, [user(1).name, user(2).name]);
    expect(await focusedUser(page)).toBe('2');
    await page.keyboard.press('Enter');
    await page.locator('#editor').waitFor();
    expect(await page.inputValue('#user-name')).toBe(user(2).name);
    await page.keyboard.press('Escape');
    expect(await focusedUser(page)).toBe('2');
  });

  it('offers by its first Tab stops to skip to the users and to the events; arrow keys move through the log', async () => {
    await putAll(1, 2, 3);
    const page = await openOnline(await open(), app);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the events');
    await page.keyboard.press('Enter');
    await page.keyboard.press('/');
    await page.keyboard.type('user.*.created');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    const position = () => page.evaluate(() => document.activeElement?.closest('li')?.ariaPosInSet);
    expect(await position()).toBe('1');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    expect(await position()).toBe('3');
    await page.keyboard.press('End');
    expect(Number(await position())).toBe(
      await page
        .locator('#log .entries li')
        .first()
        .evaluate((li) => Number(li.ariaSetSize)),
    );
    await page.keyboard.press('Home');
    await page.keyboard.press('Enter');
    expect(await page.locator('#log .payload').innerText()).toMatch(/UserWasCreated[\s\S]*Position[\s\S]*"email"/);
    await page.keyboard.press(' ');
    expect(await page.getAttribute('#pause', 'aria-pressed')).toBe('true');
  });

  it('says at the top how far each end is, and lets the user copy the command that kills this gateway', async () => {
    await putAll(1, 2);
    const page = await openOnline(await open(), app);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await eventually(
      () => page.locator('#dare .text').textContent(),
      (command) => command === `kill -9 ${app.gateway.pid}`,
    );
    await eventually(
      () => station(page, 'database'),
      ({ lamp, text }) => lamp === 'live' && /2 users\s+SQLite/.test(text),
    );
    const log = await station(page, 'log');
    const own = await station(page, 'page');
    const [, sequence] = /event ([\d,]+)/.exec(log.text) ?? [];
    expect(own.text).toContain(`event ${sequence}`);
    expect(own.text).toMatch(/Up to date · position [0-9a-f]{8}…/);
    expect(log.text).toMatch(/[\d.,]+ events\/s/);
    expect((await station(page, 'gateway')).text).toContain(`localhost:${app.gatewayPort} · pid ${app.gateway.pid}`);
    await page.click('#dare .copy');
    await page.locator('#dare .done').waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`kill -9 ${app.gateway.pid}`);
  });

  it('shows the contents of an event as text, under a policy that allows no foreign script', async () => {
    const page = await open();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    await openOnline(page, app);
    const name = '<img src=x onerror="document.title=1"><b>bold</b>';
    await app.put({ id: 'x', name, email: 'x@example.com' });
    await rowsBecome(page, [name]);
    await page.locator('#log .event').first().click();
    expect(await page.locator('#users img, #log img').count()).toBe(0);
    expect(await page.locator('#log .payload').innerText()).toContain('<img src=x');
    expect(problems).toEqual([]);
  });

  it('shows a mark in place of an animation for a change with prefers-reduced-motion', async () => {
    await app.put(user(1));
    const page = await open();
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await openOnline(page, app);
    await rowsBecome(page, [user(1).name]);
    await app.put(user(1, 1));
    const cell = page.locator('#users td.name.changed');
    await cell.waitFor();
    expect(await cell.evaluate((td) => [getComputedStyle(td).animationName, getComputedStyle(td).boxShadow])).toEqual([
      'none',
      expect.stringContaining('inset'),
    ]);
    expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
  });

  it('is painted within 200 ms', async () => {
    const page = await open();
    const paints: number[] = [];
    // The best of several runs, because the test is about the cost of the page, not about the load of the machine.
    for (let i = 0; i < 5; i++) {
      await page.goto(app.url);
      const paint = () =>
        page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0);
      paints.push(await eventually(paint, (ms) => ms > 0));
    }
    expect(Math.min(...paints)).toBeLessThan(200);
  });

  it('has nothing wider than itself from 360 to 2560 px, and keeps each e-mail address recognizable', async () => {
    await app.put({ ...user('a-rather-long-id-for-a-row-of-a-table'), email: 'somebody.with.a.long.name@example.com' });
    const page = await openOnline(await open(), app);
    await page.locator('#users tr[data-id] td.mail').waitFor();
    for (const width of [360, 480, 719, 720, 1023, 1024, 1279, 1280, 1920, 2560]) {
      await page.setViewportSize({ width, height: 900 });
      const seen = await page.evaluate(() => ({
        wide: document.documentElement.scrollWidth,
        mail: document.querySelector('#users tr[data-id] td.mail')?.clientWidth ?? 0,
        columns: getComputedStyle(document.querySelector('main') ?? document.body).gridTemplateColumns.split(' ')
          .length,
      }));
      expect(seen.wide, `${width}`).toBeLessThanOrEqual(width);
      expect(seen.mail, `${width}`).toBeGreaterThan(90);
      expect(seen.columns, `${width}`).toBe(width < 1024 ? 1 : 2);
    }
  });

  it('[000-18] connects by new WebSocket(), and so does a page on disk', async () => {
    const file = join(temporaryFolder(), 'echo.html');
    writeFileSync(file, '<!doctype html><title>from disk</title>');
    const fromDisk = await open();
    await fromDisk.goto(pathToFileURL(file).href);
    const fromApplication = await openOnline(await open(), app);
    for (const page of [fromDisk, fromApplication]) await listen(page, app.events);
    await app.put(user(1));
    for (const page of [fromDisk, fromApplication]) {
      const [text = ''] = await eventually(
        () => heard(page),
        (texts) => texts.length === 1,
      );
      expect(JSON.parse(text)).toMatchObject({ type: 'UserWasCreated', subject: 'user/1', topic: 'user.1.created' });
    }
  });

  it('[000-19] has a simple counterpart: a page on disk of a few lines shows the events', async () => {
    const file = join(temporaryFolder(), 'echo.html');
    writeFileSync(
      file,
      `<!doctype html><title>Echo</title><pre></pre><script>
        const socket = new WebSocket('${app.events}');
        socket.onopen = () => document.title = 'open';
        socket.onmessage = ({ data }) => document.querySelector('pre').append(data, '\\n');
      </script>`,
    );
    const page = await open();
    await page.goto(pathToFileURL(file).href);
    await eventually(
      () => page.title(),
      (title) => title === 'open',
    );
    await app.put(user(1));
    const shown = await eventually(
      () => page.locator('pre').textContent(),
      (text) => (text ?? '').includes('\n'),
    );
    expect(JSON.parse(shown ?? '')).toMatchObject({ type: 'UserWasCreated', data: { id: '1' } });
  });

  // Kept as the last test, because the log is full afterwards.
  it('[000-22] scrolls smoothly through ten thousand entries, because only visible rows are in the document', async () => {
    await fillLog(app, 10_000);
    const page = await openOnline(await open(), app);
    await eventually(
      () => logCount(page),
      (count) => count === 10_000,
    );
    const { most, frames } = await page.evaluate(async () => {
      const scroller = document.querySelector('#log .scroll');
      const frame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve));
      const lengths: number[] = [];
      let rows = 0;
      for (let i = 0; i <= 60 && scroller; i++) {
        const began = await frame();
        scroller.scrollTop = (scroller.scrollHeight / 60) * i;
        lengths.push((await frame()) - began);
        rows = Math.max(rows, document.querySelectorAll('#log .entries > li').length);
      }
      return { most: rows, frames: lengths.sort((a, b) => a - b) };
    });
    expect(most).toBeGreaterThan(10);
    expect(most).toBeLessThan(80);
    expect(frames[30]).toBeLessThan(50);
  });
});

/** Appends straight to the log, as another application would. */
async function fillLog(app: UsersApp, count: number): Promise<void> {
  const log = await openLog(`sqlite:${app.logFile}`);
  for (let from = 0; from < count; from += 1_000) {
    const events = Array.from({ length: 1_000 }, (_, i) => ({
      specversion: '1.0' as const,
      id: `load-${from + i}`,
      source: '/load',
      type: 'LoadWasPlaced',
      subject: `load/${from + i}`,
      time: new Date().toISOString(),
      topic: `load.${from + i}.placed`,
      exchange: 'my_events',
      data: { number: from + i },
    }));
    await log.append(events);
  }
  await log.close();
}

/** Connects as a user would in the browser console. */
async function listen(page: Page, url: string): Promise<void> {
  await page.evaluate(
    (address) =>
      new Promise<void>((resolve, reject) => {
        const texts: string[] = [];
        Reflect.set(window, 'pregonHeard', texts);
        const socket = new WebSocket(address);
        socket.onmessage = ({ data }) => texts.push(data);
        socket.onopen = () => resolve();
        socket.onerror = () => reject(new Error(`cannot connect to ${address}`));
      }),
    url,
  );
}

function heard(page: Page): Promise<string[]> {
  return page.evaluate(() => Reflect.get(window, 'pregonHeard'));
}
