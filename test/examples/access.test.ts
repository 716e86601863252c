import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { describeInBrowser } from '../support/pages/browser.js';
import { Example, lookAt, problemsOf } from '../support/pages/example.js';
import { eventually } from '../support/waiting.js';

const WAYS = ['session', 'token'] as const;

/** Waits until both ways show exactly these notes, the newest first. */
async function shows(page: Page, notes: readonly string[]): Promise<void> {
  for (const way of WAYS) {
    await eventually(
      () => page.locator(`#${way} .notes li span:first-child`).allTextContents(),
      (texts) => texts.join('|') === notes.join('|'),
    );
  }
}

async function isIn(page: Page, state: 'online' | 'refused'): Promise<void> {
  for (const way of WAYS) await page.locator(`#${way} .state[data-state=${state}]`).waitFor();
}

async function openAs(page: Page, example: Example, name?: string): Promise<void> {
  await page.goto(example.url);
  await isIn(page, 'online');
  if (name === undefined) return;
  await page.click(`[data-name=${name}]`);
  await page.locator('#who', { hasText: 'Signed in' }).waitFor();
  await isIn(page, 'online');
}

async function write(page: Page, reader: string, text: string): Promise<void> {
  await page.selectOption('#reader', reader);
  await page.fill('#text', text);
  await page.keyboard.press('Enter');
  await eventually(
    () => page.inputValue('#text'),
    (value) => value === '',
  );
}

describeInBrowser('The page of the access example in a real browser', (openPage) => {
  it('[H-03][H-04][I-9] shows each person their own notes, by a session and by a token, before and after sign-in', async () => {
    const example = await Example.start('access');
    const [nobody, ada, bo] = [await openPage(), await openPage(), await openPage()];
    const problems = [nobody, ada, bo].map(problemsOf);
    await openAs(nobody, example);
    await openAs(ada, example, 'ada');
    await openAs(bo, example, 'bo');
    await write(nobody, 'everybody', 'for all');
    await write(nobody, 'ada', 'for Ada');
    await write(nobody, 'bo', 'for Bo');
    await write(nobody, 'everybody', 'the last');
    await shows(nobody, ['the last', 'for all']);
    await shows(ada, ['the last', 'for Ada', 'for all']);
    await shows(bo, ['the last', 'for Bo', 'for all']);
    await ada.click('#out');
    await shows(ada, ['the last', 'for all']);
    await ada.click('[data-name=bo]');
    await shows(ada, ['the last', 'for Bo', 'for all']);
    expect(problems.flat()).toEqual([]);
  });

  it('[H-05] renews the token on the open connection before it ends', async () => {
    const example = await Example.start('access', { env: { TOKEN_SECONDS: '6' } });
    const page = await openPage();
    let tokens = 0;
    page.on('request', (request) => {
      if (request.url().endsWith('/token')) tokens += 1;
    });
    let sockets = 0;
    page.on('websocket', () => {
      sockets += 1;
    });
    await openAs(page, example, 'ada');
    const before = { tokens, sockets };
    await eventually(
      async () => tokens,
      (count) => count >= before.tokens + 3,
    );
    await write(page, 'ada', 'still here');
    await shows(page, ['still here']);
    expect(sockets).toBe(before.sockets);
  });

  it('[H-06][I-11] ends all connections of a person who is banned, and nobody else’s', async () => {
    const example = await Example.start('access');
    const [ada, bo] = [await openPage(), await openPage()];
    await openAs(ada, example, 'ada');
    await openAs(bo, example, 'bo');
    await write(bo, 'everybody', 'before');
    await shows(ada, ['before']);
    await bo.selectOption('#banned', 'ada');
    await bo.click('#ban button');
    await isIn(ada, 'refused');
    await write(bo, 'everybody', 'after');
    await shows(bo, ['after', 'before']);
    await isIn(bo, 'online');
    await shows(ada, ['before']);
    await ada.reload();
    await isIn(ada, 'refused');
    await shows(ada, []);
  });

  it('looks right on a desktop and a phone, signed in and refused', async () => {
    const example = await Example.start('access');
    await lookAt('example-access', openPage, async (page) => {
      await openAs(page, example, 'ada');
      await write(page, 'ada', 'A note that only Ada may read');
      await write(page, 'everybody', 'A note for everybody');
      await page.locator('#session .notes li').nth(1).waitFor();
    });
  });
});
