// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references as in configurations, not templates
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfiguration } from '../../src/config/load-configuration.js';
import { ConfigurationError } from '../../src/config/problems.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pregon-config-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function mistakesOf(text: string, variables: Record<string, string> = {}): readonly string[] {
  writeFileSync(join(folder, 'pregon.yml'), text);
  try {
    loadConfiguration({ file: undefined, cwd: folder, variables });
  } catch (error) {
    if (error instanceof ConfigurationError) return error.lines;
    throw error;
  }
  return [];
}

/** One mistake each: its description, the file, the error line. */
const MISTAKES: readonly [name: string, text: string, line: string][] = [
  [
    'a time that is too long for a timer',
    'websocket:\n  heartbeatMs: 2147483648\n',
    'pregon.yml:2:16 websocket.heartbeatMs: must be at most 2147483647',
  ],
  [
    'a path without a slash',
    'websocket:\n  routes:\n    events:\n      path: events\n',
    'pregon.yml:4:13 websocket.routes.events.path: must start with "/"',
  ],
  [
    'a path with a query',
    'websocket: { routes: { events: { path: "/events?x" } } }',
    'pregon.yml:1:40 websocket.routes.events.path: must not contain spaces, "?" or "#"',
  ],
  [
    'a route without a path',
    'websocket:\n  routes:\n    events: {}\n',
    'pregon.yml:3:5 websocket.routes.events.path: is required',
  ],
  [
    'an empty route',
    'websocket:\n  routes:\n    events:\n',
    'pregon.yml:3:5 websocket.routes.events: is empty, must be a map',
  ],
  [
    'a path of another route',
    'websocket:\n  routes:\n    a: { path: /x }\n    b: { path: /x }\n',
    'pregon.yml:4:16 websocket.routes.b.path: route "a" has this path already',
  ],
  [
    'an invalid name',
    'websocket:\n  routes:\n    "my events": { path: /x }\n',
    'pregon.yml:3:5 websocket.routes.my events: is not a valid name; use letters, digits, "_", "-" and "."',
  ],
  [
    'an unknown key similar to a known one',
    'websocket:\n  routes:\n    events: { path: /e, topcis: ["#"] }\n',
    'pregon.yml:3:25 websocket.routes.events.topcis: unknown key; did you mean "topics"?',
  ],
  [
    'an unknown key similar to no other',
    'http:\n  port: 80\n  colour: red\n',
    'pregon.yml:3:3 http.colour: unknown key; the keys are port, host, token',
  ],
  ['an unknown section', 'webscoket: {}\n', 'pregon.yml:1:1 webscoket: unknown key; did you mean "websocket"?'],
  ['a key twice', 'log: sqlite:a\nlog: sqlite:b\n', 'pregon.yml:2:1 Map keys must be unique'],
  ['a list instead of a text', 'log: [a, b]\n', 'pregon.yml:1:1 log: must be a text'],
  ['a text instead of a list', 'exchanges: my_events\n', 'pregon.yml:1:12 exchanges: must be a list'],
  [
    'a number instead of a text',
    'exchanges: [2024]\n',
    'pregon.yml:1:13 exchanges[0]: must be a text; put it in quotes',
  ],
  [
    'null without quotes as an origin',
    'websocket:\n  allowedOrigins:\n    - null\n',
    'pregon.yml:3:7 websocket.allowedOrigins[0]: must be a text; put it in quotes',
  ],
  [
    'an origin with a path',
    'websocket: { allowedOrigins: ["https://shop.example/"] }',
    'pregon.yml:1:31 websocket.allowedOrigins[0]: is not an origin; write https://shop.example, or "null" for pages from disk',
  ],
  [
    'a proxy by its name',
    'websocket: { trustedProxies: [proxy.internal] }',
    'pregon.yml:1:31 websocket.trustedProxies[0]: is neither an address nor a subnet',
  ],
  [
    'an unknown header of proxies',
    'websocket: { proxyHeader: x-real-ip }',
    'pregon.yml:1:27 websocket.proxyHeader: must be x-forwarded-for or forwarded',
  ],
  ['an invalid port', 'http: { port: 70000 }\n', 'pregon.yml:1:15 http.port: must be at most 65535'],
  [
    'a limit that is not a number',
    'websocket: { heartbeatMs: soon }\n',
    'pregon.yml:1:27 websocket.heartbeatMs: must be a whole number',
  ],
  [
    'a limit that is not a whole number',
    'websocket: { heartbeatMs: 2.5 }\n',
    'pregon.yml:1:27 websocket.heartbeatMs: must be a whole number',
  ],
  [
    'a limit that is too low',
    'websocket: { maxSubscriptions: 0 }\n',
    'pregon.yml:1:32 websocket.maxSubscriptions: must be at least 1',
  ],
  [
    'an invalid pattern',
    'websocket: { routes: { e: { path: /e, topics: [user.#, a..b] } } }',
    'pregon.yml:1:56 websocket.routes.e.topics[1]: is not a topic pattern; write words separated by dots, * for one word, # for any number of words',
  ],
  [
    'a snapshot that is not a URL',
    'websocket: { routes: { e: { path: /e, snapshot: users } } }',
    'pregon.yml:1:49 websocket.routes.e.snapshot: must be an http:// or https:// URL',
  ],
  [
    'a snapshot that is not a URL, in a map',
    'websocket: { routes: { e: { path: /e, snapshot: { url: users } } } }',
    'pregon.yml:1:56 websocket.routes.e.snapshot.url: must be an http:// or https:// URL',
  ],
  [
    'a snapshot that is a list',
    'websocket: { routes: { e: { path: /e, snapshot: [] } } }',
    'pregon.yml:1:39 websocket.routes.e.snapshot: must be a URL, or a map with url and per',
  ],
  [
    'a snapshot for something unknown',
    'websocket: { routes: { e: { path: /e, snapshot: { url: http://localhost/, per: user } } } }',
    'pregon.yml:1:80 websocket.routes.e.snapshot.per: must be rights or identity',
  ],
  [
    'a snapshot for limited rights without a secret',
    'websocket: { routes: { e: { path: /e, snapshot: { url: http://localhost/, per: rights } } } }',
    'pregon.yml:1:80 websocket.routes.e.snapshot.per: needs snapshotSecretFile: a file with the secret that signs the requests to the URL',
  ],
  [
    'a secret in the file itself',
    'snapshotSecret: hidden',
    'pregon.yml:1:17 snapshotSecret: a secret does not belong in this file: write it to a file of its own, and name that in snapshotSecretFile',
  ],
  [
    'an invalid switch',
    'websocket: { routes: { e: { path: /e, broadcast: sometimes } } }',
    'pregon.yml:1:50 websocket.routes.e.broadcast: must be true or false',
  ],
  [
    'compression that is neither on nor off',
    'websocket: { routes: { e: { path: /e, compression: sometimes } } }',
    'pregon.yml:1:52 websocket.routes.e.compression: must be true, false or a map',
  ],
  [
    'compression with an unknown option',
    'websocket: { routes: { e: { path: /e, compression: { threshold: 1 } } } }',
    'pregon.yml:1:54 websocket.routes.e.compression.threshold: unknown key; the keys are thresholdBytes',
  ],
  [
    'compression with a negative threshold',
    'websocket: { routes: { e: { path: /e, compression: { thresholdBytes: -1 } } } }',
    'pregon.yml:1:70 websocket.routes.e.compression.thresholdBytes: must be at least 0',
  ],
  [
    'a missing handler file',
    'websocket:\n  routes:\n    e:\n      path: /e\n      handlers:\n        - ./chat.ts\n',
    'pregon.yml:6:11 websocket.routes.e.handlers[0]: there is no such file',
  ],
  ['a missing subscriber file', 'subscribers: [./mail.js]\n', 'pregon.yml:1:15 subscribers[0]: there is no such file'],
  [
    'a certificate without a key',
    `websocket: { tls: { cert: pregon.yml } }`,
    'pregon.yml:1:14 websocket.tls.key: is required',
  ],
  ['empty workers', 'workers:\n', 'pregon.yml:1:1 workers: must be a whole number from 1 to 256, or auto'],
  ['workers in a list', 'workers: [2]\n', 'pregon.yml:1:1 workers: must be a whole number from 1 to 256, or auto'],
  [
    'a duration without a unit',
    'retention: { maxAge: 7 }\n',
    'pregon.yml:1:22 retention.maxAge: is not a duration; write 30s, 15m, 12h or 7d',
  ],
  [
    'a size with an unknown unit',
    'retention: { maxBytes: 5 apples }\n',
    'pregon.yml:1:24 retention.maxBytes: is not a size; write 512MB, 2GiB or a number of bytes',
  ],
  ['an empty token', 'http: { port: 0, token: "" }\n', 'pregon.yml:1:18 http.token: must not be empty'],
  [
    'a variable that is not set',
    'log: sqlite:${FOLDER}/p.db\n',
    'pregon.yml:1:6 log: the variable FOLDER is not set and has no default',
  ],
  [
    'an unset variable in a number',
    'http: { port: "${PORT}" }\n',
    'pregon.yml:1:15 http.port: the variable PORT is not set and has no default',
  ],
  [
    'an invalid variable',
    'log: sqlite:${A B}\n',
    'pregon.yml:1:6 log: "${A B}" is not a variable; write ${NAME} or ${NAME:-default}',
  ],
  [
    'a variable without an end',
    'log: "sqlite:${A"\n',
    'pregon.yml:1:6 log: "${A" is not a variable; write ${NAME} or ${NAME:-default}',
  ],
  ['a list as the whole file', '- a\n- b\n', 'pregon.yml:1:1: must be a map'],
];

describe('the configuration reports in one line, with place and reason,', () => {
  it.each(MISTAKES)('%s', (_name, text, line) => {
    expect(mistakesOf(text)).toEqual([line]);
  });

  it('a file that is not YAML', () => {
    const lines = mistakesOf('websocket:\n  routes: {\n  events: [\n');
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatch(/^pregon\.yml:\d+:\d+ \S[^\n]+$/);
  });

  it('each of several mistakes, in the order of the file', () => {
    const text =
      'log: 5\nhttp: { port: x }\nwebsocket:\n  routes:\n    a: { path: a }\n    b: { path: /b, x: 1 }\n    c: { path: /b }\n';
    expect(mistakesOf(text)).toEqual([
      'pregon.yml:1:6 log: must be a text; put it in quotes',
      'pregon.yml:2:15 http.port: must be a whole number',
      'pregon.yml:5:16 websocket.routes.a.path: must start with "/"',
      'pregon.yml:6:20 websocket.routes.b.x: unknown key; the keys are path, topics, exchanges, snapshot, handlers, broadcast, compression, allow, access',
      'pregon.yml:7:16 websocket.routes.c.path: route "b" has this path already',
    ]);
  });

  it('a named file that does not exist', () => {
    expect(() => loadConfiguration({ file: 'other.yml', cwd: folder, variables: {} })).toThrow(
      'cannot read the configuration other.yml: there is no such file',
    );
  });
});
