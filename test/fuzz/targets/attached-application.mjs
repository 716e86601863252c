// An application with a gateway and components on its own server: attached-application.mjs <JSON: { log, snapshot }>
import { createServer } from 'node:http';
import express from 'express';
import { attachGateway, createComponentServer } from 'pregon';
import handlers from './handlers.mjs';

const { log, snapshot } = JSON.parse(process.argv[2]);

const app = express();
app.get('/app', (_, response) => void response.send('the application'));
app.post('/app', express.json({ limit: 10_000 }), (request, response) => void response.json(request.body ?? null));
// Express reports bad input to the client, not to standard error.
app.use((error, _request, response, _next) => void response.status(error.status ?? 500).end());
const server = createServer(app);

const clients = new Set();
const component = {
  onOpen: (connection) => clients.add(connection),
  onMessage(connection, data) {
    const text = String(data);
    if (text === 'close') return connection.close(4321, 'as you wish');
    if (text === 'throw') throw new Error('as the client wished');
    if (text === 'all') for (const client of clients) client.send(text);
    else connection.send(data);
  },
  onClose: (connection) => clients.delete(connection),
  onError: (connection) => connection.close(),
};

const report = (level) => (fields, message) =>
  process.stdout.write(`${level} ${message} ${fields.err instanceof Error ? fields.err.message : ''}\n`);
const logger = { info: () => {}, debug: () => {}, warn: report('warn'), error: report('error') };

await attachGateway(server, {
  log,
  exchanges: ['healthy', 'fuzz'],
  access: 'public',
  handshakeTimeoutMs: 2_000,
  routes: {
    events: { path: '/events' },
    zip: { path: '/zip', compression: true },
    chat: { path: '/chat', broadcast: true },
    rows: { path: '/rows', snapshot, handlers: [handlers()] },
  },
  logger,
});
createComponentServer({ access: 'public', logger })
  .mount('/component/:room', component, { subprotocols: ['chat'] })
  .attach(server);
server.listen(0, '127.0.0.1', () => console.log(`listens on 127.0.0.1:${server.address().port} (pid ${process.pid})`));
