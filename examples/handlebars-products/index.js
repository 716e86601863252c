import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { attachGateway, openLog } from 'pregon';
import { createApp } from './app.js';
import { openProducts } from './products.js';
import { products as productHandlers } from './sockets.js';

// Variables that are already set take precedence.
if (existsSync('.env')) process.loadEnvFile();
const { PORT = '8080', HOST, ORIGINS, DATA_DIR = 'data' } = process.env;

mkdirSync(DATA_DIR, { recursive: true });
const log = await openLog(`sqlite:${DATA_DIR}/log.db`);
const products = openProducts(`${DATA_DIR}/products.db`, log);

const server = createApp(products).listen(Number(PORT), HOST);
await once(server, 'listening');
const gateway = await attachGateway(server, {
  log,
  // Without origins of its own, the gateway admits this machine only.
  access: ORIGINS ? 'public' : undefined,
  allowedOrigins: ORIGINS?.split(','),
  routes: {
    products: {
      path: '/live/products',
      snapshot: () => products.snapshot(),
      handlers: [productHandlers(products)],
    },
  },
});
console.log(`running on port ${server.address().port}`);

async function stop() {
  server.close();
  await gateway.close();
  await products.close();
  await log.close();
}
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
