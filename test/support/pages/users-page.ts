import type { Page } from 'playwright-core';
import { eventually } from '../waiting.js';
import type { UsersApp } from './users-app.js';

/** The page of the reference application in a browser, in the terms of its tests. */
export async function openOnline(page: Page, app: UsersApp): Promise<Page> {
  await page.goto(app.url);
  await stateBecomes(page, 'online');
  return page;
}

export function state(page: Page): Promise<string | null> {
  return page.getAttribute('#state', 'data-state');
}

export function stateBecomes(page: Page, wanted: string): Promise<string | null> {
  return eventually(
    () => state(page),
    (now) => now === wanted,
  );
}

/** The names in the table, from top to bottom. */
export function rows(page: Page): Promise<string[]> {
  return page.locator('#users tbody tr[data-id] td.name').allTextContents();
}

export function rowsBecome(page: Page, names: readonly string[]): Promise<string[]> {
  return eventually(
    () => rows(page),
    (seen) => JSON.stringify(seen) === JSON.stringify(names),
  );
}

/** How many events the page shows as received, or NaN if it shows none. */
export async function logCount(page: Page): Promise<number> {
  const text = (await page.locator('#log h2 [data-count=log]').textContent()) ?? '';
  return Number.parseInt(text.replaceAll(',', ''), 10);
}

/** The lamp and the whole text of a station in the status line. */
export async function station(page: Page, name: 'database' | 'log' | 'gateway' | 'page') {
  const lamp = await page.getAttribute(`#station-${name} .lamp`, 'data-state');
  return { lamp, text: await page.locator(`#station-${name}`).innerText() };
}

/** The text of the banner, empty if there is none. */
export async function banner(page: Page): Promise<string> {
  const box = page.locator('#banner');
  return (await box.isVisible()) ? (await box.innerText()).replaceAll(/\s+/g, ' ') : '';
}

export function bannerBecomes(page: Page, wanted: RegExp): Promise<string> {
  return eventually(
    () => banner(page),
    (text) => wanted.test(text),
  );
}

/** The keyboard focus: the id of the user whose row, or whose button, has it. */
export function focusedUser(page: Page): Promise<string | undefined> {
  return page.evaluate(() => document.activeElement?.closest<HTMLElement>('tr[data-id]')?.dataset['id']);
}
