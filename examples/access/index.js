import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { attachGateway, openLog } from 'pregon';
import { createApp } from './app.js';
import { openNotes } from './notes.js';
import { AUDIENCE, ISSUER, openTokens } from './tokens.js';

// Variables that are already set take precedence.
if (existsSync('.env')) process.loadEnvFile();
const { PORT = '8080', HOST = '127.0.0.1', ORIGINS, DATA_DIR = 'data', TOKEN_SECONDS = '60' } = process.env;

mkdirSync(DATA_DIR, { recursive: true });
const log = await openLog(`sqlite:${DATA_DIR}/log.db`);
const notes = openNotes(`${DATA_DIR}/notes.db`, log);
const tokens = await openTokens(Number(TOKEN_SECONDS));
const server = createApp({ notes, tokens }).listen(Number(PORT), HOST);
await once(server, 'listening');
const { port } = server.address();
const origin = `http://127.0.0.1:${port}`;

/** Who may see which notes: the same for both ways to sign in. */
const allow = [{ subscribe: 'note.everybody', who: 'anyone' }, { subscribe: 'note.to.{sub}' }];
const allowedOrigins = ORIGINS?.split(',') ?? [origin, `http://localhost:${port}`];

const bySession = await attachGateway(server, {
  log,
  allowedOrigins,
  socketIo: false,
  // The gateway asks the application who has the session of a cookie.
  auth: { hook: `${origin}/access` },
  routes: { session: { path: '/by-session', allow } },
});
const byToken = await attachGateway(server, {
  log,
  allowedOrigins,
  socketIo: false,
  // The gateway fetches the public keys of the issuer, here from the application itself.
  auth: { issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks: `${origin}/jwks.json` }] },
  routes: { token: { path: '/by-token', allow } },
});
console.log(`running on port ${port}`);

async function stop() {
  server.close();
  await Promise.all([bySession.close(), byToken.close()]);
  await notes.close();
  await log.close();
}
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
