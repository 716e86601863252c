import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { Auction, describeOnBothEngines, makeChanges, user } from '../support/auction.js';
import { describeInBrowser } from '../support/browser.js';
import { temporaryFolder } from '../support/processes.js';
import { eventually } from '../support/waiting.js';

const ARTEFACTS = join(import.meta.dirname, '../../artefacts/screenshots');

/** Says who it is: an element that was built anew would not. */
const MARK = 'pregonTestMark';

await describeOnBothEngines('the page of the reference application', (start) => {
  describeInBrowser('in a real browser', (open) => {
    it('[000-20][000-10][000-15] a save adds a row or edits it in place, a delete removes it', async () => {
      const auction = await start();
      const page = await openOnline(await open(), auction);
      expect(await auction.put(user(1))).toBe(201);
      await rowsBecome(page, [user(1).name]);
      expect(await auction.put(user(2))).toBe(201);
      await rowsBecome(page, [user(1).name, user(2).name]);
      expect(await auction.put(user(1, 9))).toBe(200);
      await rowsBecome(page, [user(1, 9).name, user(2).name]);
      expect(await auction.delete('2')).toBe(204);
      await rowsBecome(page, [user(1, 9).name]);
    });

    it('[I-2][I-6] the gateway is killed with kill -9, 1,000 changes are made, it is started: the page has all, without a reload', async () => {
      const auction = await start();
      const page = await openOnline(await open(), auction);
      await page.evaluate((mark) => Reflect.set(window, mark, 'not reloaded'), MARK);
      await auction.gateway.kill('SIGKILL');
      await eventually(
        () => state(page),
        (now) => now === 'waiting',
      );
      await makeChanges(auction, 1_000);
      await auction.startGateway();
      await eventually(
        () => logCount(page),
        (count) => count === 1_000,
        45_000,
      );
      const table = await auction.users();
      await eventually(
        () => rows(page),
        (names) => names.length === table.length,
      );
      expect((await rows(page)).sort()).toEqual(table.map(({ name }) => name).sort());
      expect(await page.evaluate((mark) => Reflect.get(window, mark), MARK)).toBe('not reloaded');
      expect(await state(page)).toBe('online');
    }, 120_000);
  });
});

describeInBrowser('the page of the reference application, in a real browser', (open) => {
  it('[000-21] untouched rows keep their DOM nodes, and no request is made after the first', async () => {
    const auction = await Auction.start();
    await Promise.all([1, 2, 3, 4, 5].map((id) => auction.put(user(id))));
    const page = await openOnline(await open(), auction);
    await eventually(
      () => rows(page),
      (names) => names.length === 5,
    );
    await page.evaluate((mark) => {
      for (const row of document.querySelectorAll('#users tbody tr'))
        Reflect.set(row, mark, row.querySelector('.id')?.textContent);
    }, MARK);
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    await auction.put(user(3, 1));
    await auction.delete('4');
    await auction.put(user(6));
    await rowsBecome(page, [user(1).name, user(2).name, user(3, 1).name, user(5).name, user(6).name]);
    const marks = await page.evaluate((mark) => {
      return [...document.querySelectorAll('#users tbody tr[data-id]')].map((row) => Reflect.get(row, mark) ?? null);
    }, MARK);
    expect(marks).toEqual(['1', '2', '3', '5', null]);
    expect(requests).toEqual([]);
  });

  it('[000-21] a second page does not double the rows of the first', async () => {
    const auction = await Auction.start();
    await Promise.all([1, 2, 3].map((id) => auction.put(user(id))));
    const first = await openOnline(await open(), auction);
    await eventually(
      () => rows(first),
      (names) => names.length === 3,
    );
    const entries = await logCount(first);
    const second = await openOnline(await open(), auction);
    await eventually(
      () => rows(second),
      (names) => names.length === 3,
    );
    await auction.put(user(4));
    await eventually(
      () => rows(second),
      (names) => names.length === 4,
    );
    await eventually(
      () => rows(first),
      (names) => names.length === 4,
    );
    expect(await rows(first)).toEqual(await rows(second));
    expect(await logCount(first)).toBe(entries + 1);
  });

  it('[000-22] the right column is the log of all events, with what was before the page was opened', async () => {
    const auction = await Auction.start();
    await auction.put(user(1));
    await auction.put(user(1, 1));
    const page = await openOnline(await open(), auction);
    await auction.delete('1');
    await eventually(
      () => page.locator('#log .chip').allTextContents(),
      (types) => JSON.stringify(types) === JSON.stringify(['UserWasDeleted', 'UserWasUpdated', 'UserWasCreated']),
    );
  });

  it('[I-4] the log is replaced by another one: the page says so, and shows the table as it is', async () => {
    const auction = await Auction.start();
    await Promise.all([1, 2, 3].map((id) => auction.put(user(id))));
    const page = await openOnline(await open(), auction);
    await eventually(
      () => logCount(page),
      (count) => count === 3,
    );
    await auction.gateway.kill();
    await auction.application.kill();
    for (const suffix of ['', '-wal', '-shm']) writeFileSync(auction.logFile + suffix, '');
    await auction.startApplication();
    await auction.put(user(4));
    await auction.startGateway();
    await eventually(
      () => rows(page),
      (names) => names.length === 4,
    );
    await eventually(
      () => logCount(page),
      (count) => count === 1,
    );
    expect(await page.locator('#log .note').first().textContent()).toMatch(/replaced/i);
  });

  it('[000-20] a user is added by the form; what the application refuses is shown at the field', async () => {
    const auction = await Auction.start();
    const page = await openOnline(await open(), auction);
    await page.click('#add-user');
    await page.fill('#user-name', 'Ada Lovelace');
    await page.fill('#user-email', 'nowhere');
    await page.keyboard.press('Enter');
    await eventually(
      () => page.textContent('#user-email-error'),
      (text) => (text ?? '').length > 0,
    );
    expect(await page.inputValue('#user-name')).toBe('Ada Lovelace');
    await page.fill('#user-email', 'ada@example.com');
    await page.keyboard.press('Enter');
    await rowsBecome(page, ['Ada Lovelace']);
    expect((await auction.users()).map(({ name }) => name)).toEqual(['Ada Lovelace']);
  });

  it('what an event holds reaches the page as text, under a policy that runs no foreign script', async () => {
    const auction = await Auction.start();
    const page = await open();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    await openOnline(page, auction);
    const name = '<img src=x onerror="document.title=1"><b>bold</b>';
    await auction.put({ id: 'x', name, email: 'x@example.com' });
    await rowsBecome(page, [name]);
    expect(await page.locator('#users img').count()).toBe(0);
    expect(problems).toEqual([]);
  });

  it('[000-18] new WebSocket() connects from a page on disk, and from the page of the application', async () => {
    const auction = await Auction.start();
    const file = join(temporaryFolder(), 'echo.html');
    writeFileSync(file, '<!doctype html><title>from disk</title>');
    const fromDisk = await open();
    await fromDisk.goto(pathToFileURL(file).href);
    const fromApplication = await openOnline(await open(), auction);
    for (const page of [fromDisk, fromApplication]) await listen(page, auction.events);
    await auction.put(user(1));
    for (const page of [fromDisk, fromApplication]) {
      const [text = ''] = await eventually(
        () => heard(page),
        (texts) => texts.length === 1,
      );
      expect(JSON.parse(text)).toMatchObject({ type: 'UserWasCreated', subject: 'user/1', topic: 'user.1.created' });
    }
  });

  it('[000-19] a page on disk of a few lines, that shows what comes, is enough to try it', async () => {
    const auction = await Auction.start();
    const file = join(temporaryFolder(), 'echo.html');
    writeFileSync(
      file,
      `<!doctype html><title>Echo</title><pre></pre><script>
        const socket = new WebSocket('${auction.events}');
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
    await auction.put(user(1));
    const shown = await eventually(
      () => page.locator('pre').textContent(),
      (text) => (text ?? '').includes('\n'),
    );
    expect(JSON.parse(shown ?? '')).toMatchObject({ type: 'UserWasCreated', data: { id: '1' } });
  });

  it('looks as it should, on a desk and on a phone, in light and in dark', async () => {
    const auction = await Auction.start();
    await makeChanges(auction, 60);
    mkdirSync(ARTEFACTS, { recursive: true });
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const [kind, width, height] of [
        ['desktop', 1280, 800],
        ['phone', 390, 844],
      ] as const) {
        const page = await openOnline(await open({ colorScheme, width, height }), auction);
        await eventually(
          () => logCount(page),
          (count) => count === 60,
        );
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
        await page.screenshot({ path: join(ARTEFACTS, `users-${kind}-${colorScheme}.png`) });
        if (kind === 'phone') {
          await page.click('#tab-log');
          await page.screenshot({ path: join(ARTEFACTS, `log-${kind}-${colorScheme}.png`) });
        }
      }
    }
  }, 60_000);
});

async function openOnline(page: Page, auction: Auction): Promise<Page> {
  await page.goto(auction.url);
  await eventually(
    () => state(page),
    (now) => now === 'online',
  );
  return page;
}

function state(page: Page): Promise<string | null> {
  return page.getAttribute('#state', 'data-state');
}

function rows(page: Page): Promise<string[]> {
  return page.locator('#users tbody tr[data-id] td.name').allTextContents();
}

function rowsBecome(page: Page, names: readonly string[]): Promise<string[]> {
  return eventually(
    () => rows(page),
    (seen) => JSON.stringify(seen) === JSON.stringify(names),
  );
}

async function logCount(page: Page): Promise<number> {
  const text = await page.locator('#log [data-count=log]').textContent();
  return Number((text ?? '').replaceAll(/\D/g, ''));
}

/** What anybody types into the console. */
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
