import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { afterTest } from '../support/cleanup.js';
import { startedByReadme } from '../support/documents/example-readme.js';
import { PlainClient, refusal } from '../support/gateway/plain-client.js';
import { describeInBrowser } from '../support/pages/browser.js';
import { freePort } from '../support/ports.js';
import { type RunningProcess, startProcess } from '../support/processes.js';

const EXAMPLE = fileURLToPath(new URL('../../examples/component-chat', import.meta.url));

interface StartedChat {
  readonly process: RunningProcess;
  readonly page: string;
  readonly chat: string;
}

/** Runs what `npm start` runs, without a terminal. */
function runExample(env: { PORT: string; CHAT_PORT: string }): RunningProcess {
  return startProcess(startedByReadme(EXAMPLE), { cwd: EXAMPLE, env, input: '' });
}

async function startChat(ports: { PORT?: string; CHAT_PORT?: string } = {}): Promise<StartedChat> {
  const process = runExample({ PORT: '0', CHAT_PORT: '0', ...ports });
  const [, page = '', chat = ''] = await process.until(/page (\S+), chat (\S+)\n/);
  return { process, page, chat };
}

describe('The example component-chat', () => {
  it('[004-01][004-09][004-10] serves a page and a chat on any two free ports, and the page finds the chat', async () => {
    const anywhere = await startChat();
    expect(new URL(anywhere.page).port).not.toBe(new URL(anywhere.chat).port);
    expect(await (await fetch(anywhere.page)).text()).toContain(`data-chat="${anywhere.chat}"`);
    const [PORT, CHAT_PORT] = [String(await freePort()), String(await freePort())];
    const named = await startChat({ PORT, CHAT_PORT });
    expect(named).toMatchObject({ page: `http://localhost:${PORT}`, chat: `ws://localhost:${CHAT_PORT}/chat` });
    expect(await (await fetch(named.page)).text()).toContain(`data-chat="ws://localhost:${CHAT_PORT}/chat"`);
  });

  it('[004-13] sends a message to all other clients', async () => {
    const { chat } = await startChat();
    const [ada, bob, eve] = await Promise.all([1, 2, 3].map(() => PlainClient.open(chat)));
    ada?.socket.send('hello');
    expect(await bob?.messages.count(1)).toEqual(['hello']);
    expect(await eve?.messages.count(1)).toEqual(['hello']);
    bob?.socket.send('and back');
    expect(await ada?.messages.count(1)).toEqual(['and back']);
  });

  it('[004-04] needs no terminal, and closes its clients properly when a supervisor ends it', async () => {
    const { process, chat } = await startChat();
    const client = await PlainClient.open(chat);
    const { code, stderr } = await process.kill('SIGTERM');
    expect([code, stderr]).toEqual([0, '']);
    expect(await client.whenClosed()).toEqual({ code: 4000, reason: 'the gateway is going away' });
  });

  it('[004-04] ends with a clear error if either port is in use', async () => {
    const { page, chat } = await startChat();
    const [PORT, CHAT_PORT] = [new URL(page).port, new URL(chat).port];
    const [busyChat, busyPage] = await Promise.all([
      runExample({ PORT: '0', CHAT_PORT }).exited,
      runExample({ PORT, CHAT_PORT: '0' }).exited,
    ]);
    expect([busyChat.code, busyChat.stderr]).toEqual([
      1,
      `cannot listen on 127.0.0.1:${CHAT_PORT}: the port is in use\n`,
    ]);
    expect([busyPage.code, busyPage.stderr]).toEqual([
      1,
      `listen EADDRINUSE: address already in use 127.0.0.1:${PORT}\n`,
    ]);
    await PlainClient.open(chat);
  });

  it('[004-03] refuses anything but a handshake from an allowed page', async () => {
    const { page, chat } = await startChat();
    await PlainClient.open(chat, { origin: page });
    expect((await refusal(chat, { origin: 'http://localhost:1' })).statusCode).toBe(403);
    const http = chat.replace('ws:', 'http:');
    expect((await fetch(http)).status).toBe(426);
    expect((await fetch(http, { method: 'POST' })).status).toBe(405);
    expect((await fetch(`${http}/elsewhere`)).status).toBe(404);
  });
});

describeInBrowser('The page of the example component-chat', (open) => {
  it('[004-01][004-13] sends the typed text to the other pages, and shows their messages', async () => {
    const { page: url } = await startChat();
    const [ada, bob] = [await open(), await open()];
    for (const page of [ada, bob]) {
      await page.goto(url);
      await untilState(page, 'online');
    }
    await ada.getByLabel('Say').fill('hello <b>Bob</b>');
    await ada.getByRole('button').click();
    await bob.getByText('hello <b>Bob</b>', { exact: true }).waitFor();
    expect(await bob.locator('li').allTextContents()).toEqual(['hello <b>Bob</b>']);
    expect(await ada.locator('li').allTextContents()).toEqual(['me: hello <b>Bob</b>']);
  });

  it('[004-10] shows that the chat is gone', async () => {
    const { page: url, process } = await startChat();
    const page = await open();
    await page.goto(url);
    await untilState(page, 'online');
    await process.kill('SIGKILL');
    await untilState(page, 'offline');
  });

  it('[004-11] connects from the allowed origin; from another host name or port it gets 403', async () => {
    const { page: url, chat } = await startChat();
    const elsewhere = await serveElsewhere(await (await fetch(url)).text());
    for (const foreign of [url.replace('localhost', '127.0.0.1'), elsewhere]) {
      const page = await open();
      const refused = page.waitForEvent('console', (message) => message.text().includes(`'${chat}' failed`));
      await page.goto(foreign);
      expect((await refused).text()).toContain('Unexpected response code: 403');
      await untilState(page, 'offline');
    }
    const allowed = await open();
    await allowed.goto(url);
    await untilState(allowed, 'online');
  });
});

async function untilState(page: Page, state: string): Promise<void> {
  await page.locator('#state').getByText(state, { exact: true }).waitFor();
}

/** Serves the same page on a port that the chat does not allow. */
async function serveElsewhere(html: string): Promise<string> {
  const server = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.end(html);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterTest(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server does not listen on a port');
  return `http://localhost:${address.port}`;
}
