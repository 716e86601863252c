import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { linesToType, typed } from '../support/documents/example-readme.js';
import { SocketIoClient } from '../support/gateway/socketio-client.js';
import { describeInBrowser } from '../support/pages/browser.js';
import { Example, lookAt, problemsOf } from '../support/pages/example.js';
import { eventually } from '../support/waiting.js';

const FOLDER = fileURLToPath(new URL('../../examples/handlebars-products', import.meta.url));

const LIVE = '/live/products';
const PRODUCTS = ['Lamp', 'Table', 'Chair'].map((title, i) => ({ title, price: 10 + i / 4 }));

interface Product {
  readonly id: number;
  readonly title: string;
  readonly price: number;
}

async function start(): Promise<Example> {
  const example = await Example.start('handlebars-products');
  for (const product of PRODUCTS) expect((await create(example, product)).status).toBe(201);
  return example;
}

function create(example: Example, product: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${example.url}/products`, { method: 'POST', headers, body: JSON.stringify(product) });
}

async function table(example: Example): Promise<Product[]> {
  return (await fetch(`${example.url}/products`)).json();
}

/** The titles in the HTML. */
async function titlesIn(example: Example, path: string): Promise<string[]> {
  const html = await (await fetch(example.url + path)).text();
  return [...html.matchAll(/<td class="title">([^<]+)</g)].map(([, title = '']) => title);
}

describe('The products example with Handlebars', () => {
  it('[001-26] lists all products on /home, and accepts a form without any script', async () => {
    const example = await start();
    expect(await titlesIn(example, '/home')).toEqual(['Lamp', 'Table', 'Chair']);
    const body = new URLSearchParams({ title: 'Shelf <b>', price: '7.5' });
    const posted = await fetch(`${example.url}/products`, { method: 'POST', body });
    expect(posted.url).toBe(`${example.url}/home`);
    expect(await posted.text()).toContain('Shelf &lt;b&gt;');
    expect((await table(example)).at(-1)).toEqual({ id: 4, title: 'Shelf <b>', price: 7.5 });
  });

  it('[fault G5] does what its README says to type', async () => {
    const example = await start();
    const [create = '', remove = '', ...others] = linesToType(FOLDER).filter((line) => line.startsWith('curl'));
    expect(others).toEqual([]);
    await typed(create, example.port);
    await typed(remove, example.port);
    expect(await titlesIn(example, '/home')).toEqual(['Table', 'Chair', 'Lamp']);
  });

  it('[001-27] serves the same list on /realtimeproducts before any script runs', async () => {
    const example = await start();
    expect(await titlesIn(example, '/realtimeproducts')).toEqual(await titlesIn(example, '/home'));
  });

  it('[001-30][001-31] sends each product that is created or deleted over HTTP or a socket to every stock client, once', async () => {
    const example = await start();
    const watcher = await SocketIoClient.open(example.url + LIVE, { auth: { snapshot: true, names: 'event' } });
    await watcher.count('subscribed', 1);
    expect(watcher.of('snapshot').map(([snapshot]) => Reflect.get(Object(snapshot), 'rows'))).toEqual([
      await table(example),
    ]);
    const writer = await SocketIoClient.open(example.url + LIVE, { auth: { topics: [] } });
    expect(await writer.ask('create', { title: 'Bed', price: '99.999' })).toEqual({
      product: { id: 4, title: 'Bed', price: 100 },
    });
    expect(await writer.ask('delete', 2)).toEqual({ deleted: true });
    expect((await fetch(`${example.url}/products/1`, { method: 'DELETE' })).status).toBe(204);
    expect((await create(example, { title: 'Desk', price: 5 })).status).toBe(201);
    await watcher.count('event', 4);
    expect(watcher.of('event')).toMatchObject([
      [{ type: 'ProductWasCreated', data: { id: 4, title: 'Bed', price: 100 } }, expect.any(String)],
      [{ type: 'ProductWasDeleted', data: { id: 2 } }, expect.any(String)],
      [{ type: 'ProductWasDeleted', data: { id: 1 } }, expect.any(String)],
      [{ type: 'ProductWasCreated', data: { id: 5, title: 'Desk', price: 5 } }, expect.any(String)],
    ]);
  });

  it('refuses invalid products, and forms from other sites, without writing or sending anything', async () => {
    const example = await start();
    const client = await SocketIoClient.open(example.url + LIVE, { auth: { names: 'event' } });
    await client.count('subscribed', 1);
    for (const input of [{}, { title: '', price: 1 }, { title: 'x', price: 'y' }, { title: {}, price: [] }]) {
      expect((await create(example, input)).status).toBe(422);
      expect(await client.ask('create', input)).toEqual({ errors: expect.any(Object) });
    }
    for (const input of [undefined, null, 7, 'text', []])
      expect(await client.ask('create', input)).toHaveProperty('errors');
    for (const id of [undefined, '1', 99, {}]) expect(await client.ask('delete', id)).toEqual({ deleted: false });
    const headers = { 'sec-fetch-site': 'cross-site' };
    const body = new URLSearchParams({ title: 'Foreign', price: '1' });
    expect((await fetch(`${example.url}/products`, { method: 'POST', body, headers })).status).toBe(403);
    await create(example, { title: 'Last', price: 1 });
    await client.count('event', 1);
    expect(client.of('event')).toHaveLength(1);
    expect(await table(example)).toHaveLength(PRODUCTS.length + 1);
  });
});

describeInBrowser('The pages of the products example in a real browser', (openPage) => {
  async function openLive(example: Example): Promise<Page> {
    const page = await openPage();
    page.on('dialog', (dialog) => dialog.accept());
    await page.goto(`${example.url}/realtimeproducts`);
    await page.locator('#state[data-state=online]').waitFor();
    return page;
  }

  const titles = (page: Page) => page.locator('#products tbody .title').allTextContents();

  const become = (page: Page, expected: readonly string[]) =>
    eventually(
      () => titles(page),
      (seen) => JSON.stringify(seen) === JSON.stringify(expected),
    );

  it('[001-03][001-27][001-28][001-29][001-30] create and delete over the socket without any request, live on every page', async () => {
    const example = await start();
    const [one, two] = [await openLive(example), await openLive(example)];
    const problems = problemsOf(one);
    await become(one, ['Lamp', 'Table', 'Chair']);
    const requests: string[] = [];
    one.on('request', (request) => requests.push(`${request.method()} ${request.url()}`));
    await two.evaluate(() => Reflect.set(document.querySelector('tr[data-id="3"]') ?? {}, 'pregonMark', true));
    await one.fill('#title', 'Shelf <i>');
    await one.fill('#price', '7.5');
    await one.keyboard.press('Enter');
    for (const page of [one, two]) await become(page, ['Lamp', 'Table', 'Chair', 'Shelf <i>']);
    await eventually(
      () => one.inputValue('#title'),
      (title) => title === '',
    );
    await one.click('tr[data-id="2"] button');
    for (const page of [one, two]) await become(page, ['Lamp', 'Chair', 'Shelf <i>']);
    expect([requests, problems]).toEqual([[], []]);
    const kept = await two.evaluate(() => Reflect.get(document.querySelector('tr[data-id="3"]') ?? {}, 'pregonMark'));
    expect(kept).toBe(true);
    expect(await titlesIn(example, '/home')).toEqual(['Lamp', 'Chair', 'Shelf &lt;i&gt;']);
  });

  it('[001-31] also send the event for the plain form on /home', async () => {
    const example = await start();
    const live = await openLive(example);
    const home = await openPage();
    await home.goto(`${example.url}/home`);
    await home.fill('#title', 'Bed');
    await home.fill('#price', '1.25');
    await home.click('text=Add product');
    await become(live, ['Lamp', 'Table', 'Chair', 'Bed']);
    expect(await titles(home)).toEqual(['Lamp', 'Table', 'Chair', 'Bed']);
  });

  it('show errors at the field and keep the typed text, by socket and by POST', async () => {
    const example = await start();
    const home = await openPage();
    await home.goto(`${example.url}/home`);
    for (const page of [await openLive(example), home]) {
      await page.fill('#title', 'Bed');
      await page.fill('#price', 'cheap');
      await page.click('text=Add product');
      await eventually(
        () => page.textContent('#price-error'),
        (text) => /^A price is/.test(text ?? ''),
      );
      expect([await page.inputValue('#title'), await page.inputValue('#price')]).toEqual(['Bed', 'cheap']);
    }
  });

  it('[I-2][I-3][I-5] show the exact table, each row once, after kill -9 and a restart amid changes', async () => {
    const example = await start();
    const pages = [await openLive(example), await openLive(example)];
    for (const page of pages) await page.evaluate(() => Reflect.set(window, 'pregonMark', 'not reloaded'));
    for (let round = 1; round <= 3; round += 1) {
      const changes = Array.from({ length: 40 }, (_, i) => create(example, { title: `Round ${round}.${i}`, price: i }));
      // By then some changes are answered, some are pending, and some have not arrived.
      await Promise.race(changes.slice(round * 5));
      await example.kill();
      await Promise.allSettled(changes);
      await example.restart();
    }
    const rows = await table(example);
    expect(rows.length).toBeGreaterThan(PRODUCTS.length);
    for (const page of pages) {
      await become(
        page,
        rows.map(({ title }) => title),
      );
      expect(await page.evaluate(() => Reflect.get(window, 'pregonMark'))).toBe('not reloaded');
    }
  });

  it('have the right layout on a desktop and on a phone', async () => {
    const example = await start();
    await lookAt('example-home', openPage, (page) => page.goto(`${example.url}/home`));
    await lookAt('example-realtimeproducts', openPage, async (page) => {
      await page.goto(`${example.url}/realtimeproducts`);
      await page.click('text=Add product');
      await page.locator('[aria-invalid]').first().waitFor();
    });
  });
});
