import { once } from 'node:events';
import { join } from 'node:path';
import express from 'express';
import { attachGateway } from 'pregon';
import { presence } from './controllers/presence.js';
import { sockets } from './controllers/sockets.js';
import { cors } from './middlewares/cors.js';
import { notices } from './routes/notices.js';

const PUBLIC = join(import.meta.dirname, 'public');

/** Serves pages, HTTP and Socket.IO on one port. */
export class Server {
  #app = express();
  #port;
  #host;
  #origins;
  #log;
  #server;

  constructor({ PORT, HOST, ORIGINS, LOG }) {
    this.#port = Number(PORT || 8080);
    this.#host = HOST || undefined;
    this.#origins = ORIGINS ? ORIGINS.split(',') : undefined;
    this.#log = LOG || 'sqlite:data/log.db';
    this.#middlewares();
  }

  async listen() {
    this.#server = this.#app.listen(this.#port, this.#host);
    await once(this.#server, 'listening');
    const gateway = await attachGateway(this.#server, {
      log: this.#log,
      routes: { notices: { path: '/notices' } },
      // Without origins of its own, the gateway admits this machine only.
      access: this.#origins ? 'public' : undefined,
      allowedOrigins: this.#origins,
    });
    this.#sockets(gateway);
    this.#routes(gateway);
    console.log(`running on port ${this.#server.address().port}`);
  }

  /** Closes the server and its sockets. */
  close() {
    this.#server.close();
  }

  #middlewares() {
    this.#app.disable('x-powered-by');
    this.#app.use(cors(this.#origins));
    this.#app.use(express.json());
    this.#app.use(express.static(PUBLIC, { setHeaders: setPolicy }));
  }

  #sockets({ io }) {
    sockets(io);
    presence(io.of('/'));
    presence(io.of('/notices'));
  }

  #routes(gateway) {
    this.#app.use('/api/notices', notices(gateway));
  }
}

function setPolicy(response) {
  response.setHeader('Content-Security-Policy', "default-src 'self'; img-src 'self' data:");
}
