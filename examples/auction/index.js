import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import express from 'express';
import { attachGateway } from 'pregon';
import { Auction } from './auction.js';
import { Traffic } from './traffic.js';

// Variables that are already set take precedence.
if (existsSync('.env')) process.loadEnvFile();
const { PORT = '8080', HOST, ORIGINS, DATA_DIR = 'data', SECONDS = '60', POLL_MS = '3000' } = process.env;

const auction = new Auction({ item: 'A lamp of 1920', seconds: Number(SECONDS) });
let traffic;

const app = express();
app.disable('x-powered-by');
app.use(express.static(join(import.meta.dirname, 'public'), { setHeaders: setPolicy }));
app.get('/api/auction', (_request, response) => response.json({ ...auction.state, pollMs: Number(POLL_MS) }));
app.get('/api/traffic', ({ query }, response) => response.json(traffic?.of(String(query.viewer)) ?? {}));

mkdirSync(DATA_DIR, { recursive: true });
const server = app.listen(Number(PORT), HOST);
await once(server, 'listening');
const gateway = await attachGateway(server, {
  log: `sqlite:${DATA_DIR}/log.db`,
  // Without origins of its own, the gateway admits this machine only.
  access: ORIGINS ? 'public' : undefined,
  allowedOrigins: ORIGINS?.split(','),
  // Only the bids of this auction. A client requests all of them, then continues with new ones.
  routes: { auction: { path: '/auction', topics: [`auction.${auction.id}.bid`], handlers: [auction.handlers] } },
});
auction.open(gateway);
traffic = new Traffic(server);
console.log(`running on port ${server.address().port}`);

process.once('SIGTERM', () => server.close());
process.once('SIGINT', () => server.close());

function setPolicy(response) {
  response.setHeader('Content-Security-Policy', "default-src 'self'; img-src 'self' data:");
}
