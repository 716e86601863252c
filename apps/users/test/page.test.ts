import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createSqlite } from './support/databases.js';
import { startForTest } from './support/running-application.js';

describe('the page as it is served', () => {
  it.each([
    ['localhost:5001', 'ws://localhost:4321/events'],
    ['127.0.0.1:5001', 'ws://127.0.0.1:4321/events'],
    ['users.example', 'ws://users.example:4321/events'],
    ["evil.example'; script-src *", 'ws://localhost:4321/events'],
    ['"><script>', 'ws://localhost:4321/events'],
    ['[::1]:5001', 'ws://localhost:4321/events'],
  ])('[004-01] opened as %s, names %s as its gateway, and may connect only there', async (host, gateway) => {
    const app = await startForTest(createSqlite);
    const { headers, body } = await get(app.url, host);
    expect(body).toContain(`<meta name="pregon-gateway" content="${gateway}">`);
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`connect-src 'self' ${gateway} ${gateway.replace(/^ws/, 'http')};`);
    expect(policy).not.toMatch(/unsafe|\*|evil/);
  });

  it('has a script of less than 40 KB when compressed', async () => {
    const app = await startForTest(createSqlite);
    const script = await (await app.request('/assets/page.js')).text();
    expect(gzipSync(script).length).toBeLessThan(40_000);
  });

  it('links to the documentation, which the application serves itself', async () => {
    const app = await startForTest(createSqlite);
    expect((await get(app.url, 'localhost')).body).toContain('href="/docs/"');
    const readme = await app.request('/docs/');
    expect([readme.status, readme.headers.get('Content-Type')]).toEqual([200, 'text/plain; charset=utf-8']);
    expect(await readme.text()).toMatch(/^# Pregon/);
    expect(await (await app.request('/docs/reference/protocol.md')).text()).toMatch(/^# /);
    for (const path of ['/docs/..%2fpackage.json', '/docs/nothing.md'])
      expect((await app.request(path)).status).not.toBe(200);
  });

  it('loads nothing from other origins, and runs no inline script or style', async () => {
    const app = await startForTest(createSqlite);
    const { body } = await get(app.url, 'localhost');
    expect([...body.matchAll(/(?:src|href)="([^"#][^"]*)"/g)].map(([, url]) => url?.split('/')[1])).not.toContain('');
    expect(body).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*src=)/);
  });
});

/** A GET with a chosen Host header, which `fetch` does not allow. */
function get(url: string, host: string) {
  return new Promise<{ headers: Record<string, unknown>; body: string }>((resolve, reject) => {
    const asked = request(url, { headers: { host } }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ headers: response.headers, body }));
    });
    asked.on('error', reject).end();
  });
}
