import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import express from 'express';
import session from 'express-session';
import { ISSUER } from './tokens.js';

const PUBLIC = join(import.meta.dirname, 'public');

const POLICY = [
  "default-src 'self'",
  `script-src 'self' 'sha256-${hashOfImports()}'`,
  "img-src 'self' data:",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** How long a session lasts. A gateway that asks again at its end learns whether it was extended. */
const SESSION_MS = 3_600_000;

/** The modules that the page imports: an application would use a bundler. */
const MODULES = ['client', 'protocol'];

export function createApp({ notes, tokens }) {
  const app = express();
  app.disable('x-powered-by');
  app.use((_request, response, next) => {
    response.set('Content-Security-Policy', POLICY);
    next();
  });
  app.use(express.static(PUBLIC));
  for (const name of MODULES) app.use(`/modules/${name}`, express.static(distOf(`@pregon/${name}`)));
  app.get('/jwks.json', (_request, response) => response.json(tokens.keySet));
  app.use(
    session({
      name: 'session',
      secret: randomBytes(32).toString('base64'),
      resave: false,
      saveUninitialized: false,
      // Behind TLS, also `secure: true`, and the name __Host-session.
      cookie: { httpOnly: true, sameSite: 'strict', maxAge: SESSION_MS },
    }),
  );

  /** The hook of the gateway: it sends the cookie of its client along. */
  app.get('/access', ({ session: { name } }, response) => {
    if (name === undefined) return response.status(204).end();
    if (!notes.isWelcome(name)) return response.status(403).end();
    response.json({ iss: ISSUER, sub: name, expiresInMs: SESSION_MS });
  });

  app.use(refuseOtherSites, express.json());
  app.get('/session', ({ session: { name } }, response) => response.json({ name: name ?? null }));
  app.post('/session', ({ session, body }, response) => {
    if (!notes.isWelcome(body?.name)) return response.status(403).json({ error: 'This person may not sign in.' });
    // A new session id, so that nobody can sign in a person with a session id that he knows.
    session.regenerate((error) => {
      if (error) return response.status(500).end();
      response.req.session.name = body.name;
      response.status(204).end();
    });
  });
  app.delete('/session', ({ session }, response) => session.destroy(() => response.status(204).end()));

  /** A token for the page, as an identity provider gives it to whoever has signed in there. */
  app.post('/token', async ({ session: { name } }, response) => {
    if (name === undefined) return response.json({ token: null });
    response.json({ token: await tokens.sign(name) });
  });

  app.post('/notes', ({ body }, response) => {
    const error = notes.write(body?.reader, body?.text);
    if (error) response.status(422).json({ error });
    else response.status(204).end();
  });
  app.post('/bans', ({ body }, response) => {
    notes.ban(String(body?.name));
    response.status(204).end();
  });
  return app;
}

/** The page names its modules in one inline script. Its hash is all inline script that the policy allows. */
function hashOfImports() {
  const [, imports] = /<script type="importmap">(.*?)<\/script>/s.exec(
    readFileSync(join(PUBLIC, 'index.html'), 'utf8'),
  );
  return createHash('sha256').update(imports).digest('base64');
}

function distOf(name) {
  return join(import.meta.dirname, '../../node_modules', name, 'dist');
}

/** Refuses cross-site requests, because a form on another site could be sent to this server. */
function refuseOtherSites(request, response, next) {
  if (request.get('sec-fetch-site') === 'cross-site') return response.status(403).end();
  next();
}
