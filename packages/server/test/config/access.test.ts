import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfiguration } from '../../src/config/load-configuration.js';
import { ConfigurationError } from '../../src/config/problems.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pregon-config-'));
  mkdirSync(join(folder, 'keys'));
  for (const name of ['new.txt', 'old.txt', 'shop.pem']) writeFileSync(join(folder, 'keys', name), 'x');
});

afterEach(() => rmSync(folder, { recursive: true }));

function load(text: string) {
  writeFileSync(join(folder, 'pregon.yml'), text);
  return loadConfiguration({ file: 'pregon.yml', cwd: folder, variables: {} });
}

function mistakesOf(text: string): readonly string[] {
  try {
    load(text);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.lines;
    throw error;
  }
  return [];
}

const AUTH = 'auth: { issuers: [{ issuer: shop, secretFile: keys/new.txt }] }\n';

/** The configuration with one issuer, and one rule on line 3. */
function withRule(rule: string): string {
  return `${AUTH}websocket: { routes: { e: { path: /e, allow: [\n  { send: bid },\n  ${rule}\n  ] } } }\n`;
}

describe('[H-02] auth in a configuration', () => {
  it('gives issuers, lifetime and cookie, with file names relative to the configuration file', () => {
    const { auth } = load(`
auth:
  issuers:
    - { issuer: shop, secretFile: [keys/new.txt, ./keys/old.txt] }
    - { issuer: own, publicKeyFile: keys/shop.pem, algorithms: [ES256, EdDSA] }
    - { issuer: 'https://login.example/', audience: pregon, jwks: 'https://login.example/jwks.json' }
  maxTokenLifetime: 12h
  cookie: __Host-session
`);
    expect(auth).toEqual({
      issuers: [
        { issuer: 'shop', secretFile: [join(folder, 'keys/new.txt'), join(folder, 'keys/old.txt')] },
        { issuer: 'own', publicKeyFile: [join(folder, 'keys/shop.pem')], algorithms: ['ES256', 'EdDSA'] },
        { issuer: 'https://login.example/', audience: ['pregon'], jwks: 'https://login.example/jwks.json' },
      ],
      maxTokenLifetimeMs: 43_200_000,
      cookie: '__Host-session',
    });
  });

  it('names the hook of the application, and the headers that it gets', () => {
    const { auth } = load(`
auth:
  hook: http://127.0.0.1:5001/pregon/access
  forward: [X-Tenant]
  maxTokenLifetime: 1h
`);
    expect(auth).toEqual({
      hook: 'http://127.0.0.1:5001/pregon/access',
      forward: ['X-Tenant'],
      maxTokenLifetimeMs: 3_600_000,
    });
  });

  it.each([
    ['neither issuers nor a hook', 'auth: { maxTokenLifetime: 1h }', 'pregon.yml:1:1 auth: needs issuers, or hook'],
    [
      'a hook beside issuers',
      'auth:\n  hook: http://127.0.0.1/\n  issuers: [{ issuer: a, secretFile: keys/new.txt }]\n',
      'pregon.yml:3:3 auth.issuers: has no effect beside auth.hook; remove one of the two',
    ],
    [
      'a cookie beside a hook',
      'auth:\n  hook: http://127.0.0.1/\n  cookie: session\n',
      'pregon.yml:3:11 auth.cookie: has no effect beside auth.hook; remove one of the two',
    ],
    ['a hook that is not a URL', 'auth: { hook: access }', 'pregon.yml:1:15 auth.hook: must be a URL'],
    [
      'a password in a hook',
      'auth: { hook: "http://a:b@127.0.0.1/" }',
      'pregon.yml:1:15 auth.hook: must not contain a user name or password',
    ],
    [
      'a header that cannot be forwarded',
      'auth:\n  hook: http://127.0.0.1/\n  forward: [X-Tenant, Host]\n',
      'pregon.yml:3:3 auth.forward: Host belongs to one connection, and cannot be forwarded',
    ],
    [
      'headers without a hook',
      'auth:\n  forward: [X-Tenant]\n  issuers: [{ issuer: a, secretFile: keys/new.txt }]\n',
      'pregon.yml:2:3 auth.forward: needs auth.hook',
    ],
    ['no issuer', 'auth: { issuers: [] }', 'pregon.yml:1:9 auth.issuers: must not be empty'],
    [
      'an inline secret, which it does not repeat',
      'auth:\n  issuers:\n    - issuer: shop\n      secret: hunter2\n',
      'pregon.yml:4:15 auth.issuers[0].secret: a secret does not belong in this file: write it to a file of its own, and name that in secretFile',
    ],
    [
      'a missing file of a list',
      'auth:\n  issuers:\n    - issuer: shop\n      secretFile: [keys/new.txt, keys/gone.txt]\n',
      'pregon.yml:4:34 auth.issuers[0].secretFile[1]: there is no such file',
    ],
    [
      'a missing file',
      'auth:\n  issuers:\n    - issuer: shop\n      secretFile: keys/gone.txt\n',
      'pregon.yml:4:19 auth.issuers[0].secretFile: there is no such file',
    ],
    [
      'an issuer without keys',
      'auth:\n  issuers:\n    - issuer: shop\n',
      'pregon.yml:3:7 auth.issuers[0]: must have exactly one of jwks, secretFile, publicKeyFile; it has none',
    ],
    [
      'a key set over plain http',
      'auth:\n  issuers:\n    - { issuer: a, audience: p, jwks: "http://login.example/" }\n',
      'pregon.yml:3:39 auth.issuers[0].jwks: must be https, or http on this machine (localhost, 127.0.0.1, [::1])',
    ],
    [
      'a public key without algorithms',
      'auth:\n  issuers:\n    - { issuer: a, publicKeyFile: keys/shop.pem }\n',
      'pregon.yml:3:7 auth.issuers[0].algorithms: is required with publicKeyFile: name those that the issuer signs with, as [ES256]',
    ],
    [
      'an issuer twice',
      'auth:\n  issuers:\n    - { issuer: a, secretFile: keys/new.txt }\n    - { issuer: a, secretFile: keys/old.txt }\n',
      'pregon.yml:4:17 auth.issuers[1].issuer: is also auth.issuers[0]; name each issuer once',
    ],
    [
      'a lifetime without a unit',
      `auth:\n  maxTokenLifetime: 24\n  issuers: [{ issuer: a, secretFile: keys/new.txt }]\n`,
      'pregon.yml:2:21 auth.maxTokenLifetime: is not a duration; write 30s, 15m, 12h or 7d',
    ],
    [
      'a cookie with a space',
      `auth:\n  cookie: my session\n  issuers: [{ issuer: a, secretFile: keys/new.txt }]\n`,
      'pregon.yml:2:11 auth.cookie: is not a valid name of a cookie',
    ],
    [
      'a misspelled option of an issuer',
      'auth:\n  issuers:\n    - { issuer: a, secretFiel: keys/new.txt }\n',
      'pregon.yml:3:20 auth.issuers[0].secretFiel: unknown key; did you mean "secretFile"?',
    ],
  ])('reports %s with its place', (_, text, line) => {
    expect(mistakesOf(text)).toEqual([line]);
  });
});

describe('[H-03] Rules in a configuration', () => {
  it('are those of the library, beside public routes and namespaces, which Socket.IO is not given', () => {
    const { routes, namespaces, socketIo } = load(`${AUTH}
socketIo: { pingTimeout: 1000, namespaces: { /chat: authenticated, /help: public } }
websocket:
  routes:
    news: { path: /news, access: public }
    events:
      path: /events
      allow:
        - { subscribe: 'public.#', who: anyone }
        - subscribe: user.{sub}.#
        - { subscribe: 'org.{org.id}.#', issuer: shop, if: { role: [admin, owner], level: 3, staff: true } }
        - { send: bid, broadcast: true }
`);
    expect(routes['news']).toMatchObject({ access: 'public' });
    expect(routes['events']?.allow).toEqual([
      { subscribe: 'public.#', who: 'anyone' },
      { subscribe: 'user.{sub}.#' },
      { subscribe: 'org.{org.id}.#', issuer: 'shop', if: { role: ['admin', 'owner'], level: 3, staff: true } },
      { send: 'bid', broadcast: true },
    ]);
    expect(namespaces).toEqual({ '/chat': 'authenticated', '/help': 'public' });
    expect(socketIo).toEqual({ pingTimeout: 1_000 });
  });

  it.each([
    [
      'a pattern that is none, with the text of the rule',
      withRule('{ subscribe: "user..x" }'),
      'pregon.yml:4:3 websocket.routes.e.allow[1]: {"subscribe":"user..x"}: "user..x" is not a topic pattern: write words between dots, * for one word, # for any number',
    ],
    [
      'an unknown issuer',
      withRule('{ subscribe: "a", issuer: shpo }'),
      'pregon.yml:4:3 websocket.routes.e.allow[1]: {"subscribe":"a","issuer":"shpo"}: "shpo" is not an issuer; the issuers are shop',
    ],
    [
      'a rule that grants nothing',
      withRule('{ who: anyone }'),
      'pregon.yml:4:3 websocket.routes.e.allow[1]: {"who":"anyone"}: it grants nothing: add subscribe, send, publish, broadcast or kind',
    ],
    [
      'a misspelled member',
      withRule('{ subscirbe: "a" }'),
      'pregon.yml:4:5 websocket.routes.e.allow[1].subscirbe: unknown key; did you mean "subscribe"?',
    ],
    [
      'a wrong choice',
      withRule('{ send: a, who: everyone }'),
      'pregon.yml:4:19 websocket.routes.e.allow[1].who: must be anyone or authenticated',
    ],
    [
      'a claim with a map of values',
      withRule('{ send: a, if: { role: { is: admin } } }'),
      'pregon.yml:4:20 websocket.routes.e.allow[1].if.role: must be a text, a number, true or false, or a list of them',
    ],
    [
      'rules without auth',
      'websocket: { routes: { e: { path: /e, allow: [{ send: a }] } } }',
      'pregon.yml:1:39 websocket.routes.e.allow: needs auth: add the issuers of tokens',
    ],
    [
      'rules on a public route',
      `${AUTH}websocket: { routes: { e: { path: /e, access: public, allow: [{ send: a }] } } }`,
      'pregon.yml:2:47 websocket.routes.e.access: has no effect beside allow; remove one of the two',
    ],
    [
      'another access than public',
      `${AUTH}websocket: { routes: { e: { path: /e, access: private } } }`,
      'pregon.yml:2:47 websocket.routes.e.access: must be public; to close the route, leave out access and allow',
    ],
    [
      'namespaces without auth',
      'socketIo: { namespaces: { /chat: public } }',
      'pregon.yml:1:13 socketIo.namespaces: needs auth: without it, access applies to every namespace',
    ],
    [
      'access beside auth',
      `access: public\n${AUTH}websocket: { routes: { e: { path: /e } } }`,
      "pregon.yml:1:9 access: cannot be set beside auth: remove one of the two; with auth, open single routes with access: 'public' in their options",
    ],
    [
      'another access of the gateway than public',
      'access: open',
      'pregon.yml:1:9 access: must be public; leave it out if not every client may connect',
    ],
    [
      'an unknown access of a namespace',
      `${AUTH}socketIo: { namespaces: { /chat: closed } }`,
      'pregon.yml:2:34 socketIo.namespaces./chat: must be a map of namespaces, each with public, authenticated or application',
    ],
  ])('reports %s with its place', (_, text, line) => {
    expect(mistakesOf(text)).toEqual([line]);
  });

  it('with a claim need their issuer if there are several, and every mistake is reported at once', () => {
    const text = `
auth:
  issuers:
    - { issuer: a, secretFile: keys/new.txt }
    - { issuer: b, secretFile: keys/old.txt }
websocket:
  routes:
    e:
      path: e
      allow:
        - { subscribe: 'user.{sub}' }
        - { subscribe: 'a.{b' }
`;
    expect(mistakesOf(text)).toEqual([
      'pregon.yml:9:13 websocket.routes.e.path: must start with "/"',
      'pregon.yml:11:11 websocket.routes.e.allow[0]: {"subscribe":"user.{sub}"}: it uses claims, and there are several issuers: add "issuer:" with one of a, b',
      'pregon.yml:12:11 websocket.routes.e.allow[1]: {"subscribe":"a.{b"}: a variable such as {sub} must be a whole word of "a.{b"',
    ]);
  });
});
