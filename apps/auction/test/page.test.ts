import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createSqlite } from './support/databases.js';
import { startForTest } from './support/running-application.js';

describe('the page as it is served', () => {
  it.each([
    ['localhost:5001', 'ws://localhost:4321/events'],
    ['127.0.0.1:5001', 'ws://127.0.0.1:4321/events'],
    ['auction.example', 'ws://auction.example:4321/events'],
    ["evil.example'; script-src *", 'ws://localhost:4321/events'],
    ['"><script>', 'ws://localhost:4321/events'],
    ['[::1]:5001', 'ws://localhost:4321/events'],
  ])('[004-01] opened as %s it names %s as its gateway, and may connect there only', async (host, gateway) => {
    const app = await startForTest(createSqlite);
    const { headers, body } = await get(app.url, host);
    expect(body).toContain(`<meta name="pregon-gateway" content="${gateway}">`);
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`connect-src 'self' ${gateway};`);
    expect(policy).not.toMatch(/unsafe|\*|evil/);
  });

  it('loads nothing from anywhere else, and runs no inline script or style', async () => {
    const app = await startForTest(createSqlite);
    const { body } = await get(app.url, 'localhost');
    expect([...body.matchAll(/(?:src|href)="([^"#][^"]*)"/g)].map(([, url]) => url?.split('/')[1])).not.toContain('');
    expect(body).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*src=)/);
  });
});

/** `fetch` lets nobody choose the Host header. */
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
