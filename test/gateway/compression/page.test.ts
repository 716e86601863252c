import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../support/cleanup.js';
import { untilAtHead } from '../../support/gateway/frames-client.js';
import { startGateway } from '../../support/gateway/gateway.js';
import { Inbox } from '../../support/gateway/inbox.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { describeInBrowser } from '../../support/pages/browser.js';
import { eventually } from '../../support/waiting.js';

describeInBrowser('A page on a route with compression', (open) => {
  it('[I-1][I-2] negotiates it, receives the exact events, live and replayed, and its messages arrive', async () => {
    const heard = new Inbox<unknown>();
    const handlers = [{ message: (_: unknown, data: unknown) => heard.push(data) }];
    const gateway = await startGateway({
      routes: { events: { path: '/events', compression: true, handlers } },
      allowNullOrigin: true,
    });
    const { ws, append } = gateway;
    const plain = await PlainClient.open(ws('/events'), { perMessageDeflate: false });
    await untilAtHead(gateway);
    const page = await open();
    await page.goto(emptyPage());
    const connect = (query: string) =>
      page.evaluate(
        (url) => {
          const socket = new WebSocket(url);
          const texts: string[] = [];
          Reflect.set(window, 'texts', texts);
          socket.addEventListener('message', ({ data }) => texts.push(data));
          return new Promise<string>((resolve) => {
            socket.addEventListener('open', () => {
              for (const said of ['hello', 'ä'.repeat(30_000)]) socket.send(said);
              resolve(socket.extensions);
            });
            socket.addEventListener('close', ({ code }) => resolve(`closed with ${code}`));
          });
        },
        ws(`/events${query}`),
      );
    const texts = () => page.evaluate(() => Reflect.get(window, 'texts'));
    expect(await connect('')).toContain('permessage-deflate');
    expect(await heard.count(2)).toEqual(['hello', 'ä'.repeat(30_000)]);
    await append(20);
    await append(20, { padding: 2_000 });
    await append(1, { padding: 200_000 });
    await plain.numbers(41);
    await eventually(texts, (seen) => seen.length === 41);
    expect(await texts()).toEqual(plain.texts);
    await connect('?since=first');
    await eventually(texts, (seen) => seen.length === 41);
    expect(await texts()).toEqual(plain.texts);
  });

  it('[I-1][I-3] reads messages on forty sockets whose compression refers to what each socket got before', async () => {
    const gateway = await startGateway({
      routes: { events: { path: '/events', compression: true } },
      allowNullOrigin: true,
    });
    const { ws, append } = gateway;
    const plain = await PlainClient.open(ws('/events'), { perMessageDeflate: false });
    await untilAtHead(gateway);
    const page = await open();
    await page.goto(emptyPage());
    await page.evaluate((url) => {
      const all: string[][] = Array.from({ length: 40 }, () => []);
      Reflect.set(window, 'texts', all);
      const opened = all.map((texts) => {
        const socket = new WebSocket(url);
        socket.addEventListener('message', ({ data }) => texts.push(data));
        return new Promise((resolve) => socket.addEventListener('open', resolve));
      });
      return Promise.all(opened);
    }, ws('/events'));
    await eventually(
      () => gateway.gateway.connections('events').count,
      (count) => count === 41,
    );
    for (let n = 0; n < 60; n++) await append(1, { padding: n % 3 === 0 ? 0 : 600 + n });
    await plain.numbers(60);
    const texts = () => page.evaluate((): string[][] => Reflect.get(window, 'texts'));
    const seen = await eventually(texts, (all) => all.every((one) => one.length === 60));
    for (const one of seen) expect(one).toEqual(plain.texts);
  });
});

function emptyPage(): string {
  const file = join(temporaryFolder(), 'page.html');
  writeFileSync(file, '<!doctype html>');
  return pathToFileURL(file).href;
}
