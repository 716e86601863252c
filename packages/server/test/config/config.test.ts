// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references as in configurations, not templates
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expandVariables } from '../../src/config/expand.js';
import { loadConfiguration } from '../../src/config/load-configuration.js';
import { nearest } from '../../src/config/nearest.js';
import { parseBytes, parseDuration } from '../../src/config/quantities.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pregon-config-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function load(text: string, variables: Record<string, string> = {}) {
  writeFileSync(join(folder, 'pregon.yml'), text);
  return loadConfiguration({ file: undefined, cwd: folder, variables });
}

describe('loadConfiguration', () => {
  it('reads every setting', () => {
    for (const name of ['chat.ts', 'mail.js', 'c.pem', 'k.pem', 's.txt']) writeFileSync(join(folder, name), '');
    const configuration = load(`
log: sqlite:data/p.db
exchanges: [my_events, audit]
snapshotSecretFile: s.txt
websocket:
  allowedOrigins: ["https://shop.example", "null"]
  heartbeatMs: 1000
  trustedProxies: [10.0.0.0/8]
  proxyHeader: forwarded
  tls: { cert: c.pem, key: ./k.pem }
  routes:
    events: { path: /events, snapshot: { url: "http://localhost/rows", per: identity } }
    teams:
      path: /tms
      topics: [team.#]
      exchanges: [audit]
      snapshot: http://localhost:5001/teams
      handlers: [./chat.ts]
      broadcast: true
      compression: { thresholdBytes: 100 }
subscribers:
  - ./mail.js
http: { port: 9000, host: 0.0.0.0, token: secret }
retention: { maxCount: 10, maxAge: 7d, maxBytes: 512MB }
`);
    expect(configuration).toEqual({
      file: 'pregon.yml',
      log: 'sqlite:data/p.db',
      exchanges: ['my_events', 'audit'],
      allowedOrigins: ['https://shop.example', 'null'],
      snapshotSecretFile: join(folder, 's.txt'),
      limits: { heartbeatMs: 1_000, trustedProxies: ['10.0.0.0/8'], proxyHeader: 'forwarded' },
      tls: { cert: join(folder, 'c.pem'), key: join(folder, 'k.pem') },
      routes: {
        events: { path: '/events', snapshot: { url: 'http://localhost/rows', per: 'identity' }, handlerFiles: [] },
        teams: {
          path: '/tms',
          topics: ['team.#'],
          exchanges: ['audit'],
          snapshot: 'http://localhost:5001/teams',
          broadcast: true,
          compression: { thresholdBytes: 100 },
          handlerFiles: [
            { file: join(folder, 'chat.ts'), where: 'pregon.yml:18:18 websocket.routes.teams.handlers[0]' },
          ],
        },
      },
      subscriberFiles: [{ file: join(folder, 'mail.js'), where: 'pregon.yml:22:5 subscribers[0]' }],
      http: { port: 9_000, host: '0.0.0.0', token: 'secret' },
      retention: { maxCount: 10, maxAgeMs: 604_800_000, maxBytes: 512_000_000 },
    });
  });

  it('returns nothing if pregon.yml is missing or empty', () => {
    const empty = { routes: {}, limits: {}, subscriberFiles: [] };
    expect(loadConfiguration({ file: undefined, cwd: folder, variables: {} })).toEqual({ ...empty, file: undefined });
    expect(load('# nothing yet\n')).toEqual({ ...empty, file: 'pregon.yml' });
  });

  it('resolves files relative to the configuration file', () => {
    mkdirSync(join(folder, 'etc'));
    writeFileSync(join(folder, 'etc/mail.js'), '');
    writeFileSync(join(folder, 'etc/gateway.yml'), 'log: sqlite:p.db\nsubscribers: [./mail.js]\n');
    const configuration = loadConfiguration({ file: 'etc/gateway.yml', cwd: folder, variables: {} });
    expect(configuration.log).toBe('sqlite:etc/p.db');
    expect(configuration.subscriberFiles).toEqual([
      { file: join(folder, 'etc/mail.js'), where: 'etc/gateway.yml:2:15 subscribers[0]' },
    ]);
  });

  it('expands variables, even for a number or a switch', () => {
    const text =
      'http: { port: "${PORT}", token: "${TOKEN}" }\nlog: sqlite:${FOLDER:-data}/p.db\n' +
      'websocket: { routes: { e: { path: /e, broadcast: "${RELAY:-true}" } } }\n';
    const configuration = load(text, { PORT: '9000', TOKEN: '123456' });
    expect(configuration.http).toEqual({ port: 9_000, token: '123456' });
    expect(configuration.log).toBe('sqlite:data/p.db');
    expect(configuration.routes['e']?.broadcast).toBe(true);
  });

  it('follows anchors, and names the place of a mistake in an anchored value', () => {
    const text =
      'websocket:\n  routes:\n    a: { path: /a, topics: &topics [user.#] }\n    b: { path: /b, topics: *topics }\n';
    expect(load(text).routes['b']?.topics).toEqual(['user.#']);
    const wrong = text.replace('user.#', 'a..b');
    expect(() => load(wrong)).toThrow(
      /^pregon\.yml:3:37 websocket\.routes\.a\.topics\[0\]: .*\npregon\.yml:3:37 websocket\.routes\.b\.topics\[0\]: /,
    );
  });
});

describe('expandVariables', () => {
  it.each([
    ['${A}', 'x'],
    ['a${A}b${A}', 'axbx'],
    ['${B:-y}', 'y'],
    ['${EMPTY:-y}', 'y'],
    ['${EMPTY}', ''],
    ['${A:-y}', 'x'],
    ['${B:-}', ''],
    ['$${A}', '${A}'],
    ['$A {A} $', '$A {A} $'],
  ])('%s becomes %j', (text, expanded) => {
    expect(expandVariables(text, { A: 'x', EMPTY: '' })).toEqual({ text: expanded, mistakes: [] });
  });

  it('does not expand the value of a variable again', () => {
    expect(expandVariables('${A}', { A: '${B}', B: 'x' }).text).toBe('${B}');
  });

  it('leaves every text without a dollar unchanged', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes('$')),
        (text) => {
          expect(expandVariables(text, {})).toEqual({ text, mistakes: [] });
        },
      ),
    );
  });
});

describe('quantities', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5h', 5_400_000],
    ['7d', 604_800_000],
    ['7', undefined],
    ['0s', undefined],
    ['-1s', undefined],
    ['1w', undefined],
    ['99999999999999d', undefined],
  ])('read the duration %s as %s ms', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  it.each([
    ['1024', 1_024],
    ['512MB', 512_000_000],
    ['512mb', 512_000_000],
    ['2 GiB', 2_147_483_648],
    ['0', undefined],
    ['much', undefined],
    ['1XB', undefined],
  ])('read the size %s as %s bytes', (text, expected) => {
    expect(parseBytes(text)).toBe(expected);
  });
});

describe('nearest', () => {
  it.each([
    ['rn', 'run'],
    ['tial', 'tail'],
    ['PUBLISH', 'publish'],
    ['publsh', 'publish'],
    ['cat', undefined],
    ['', undefined],
  ])('suggests, for %s, %s', (word, expected) => {
    expect(nearest(word, ['run', 'tail', 'publish', 'connect'])).toBe(expected);
  });
});
