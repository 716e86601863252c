import type { IncomingMessage } from 'node:http';
import type { Server } from 'socket.io';
import { watchNamespaces } from '../../private-fields/socket-io.js';
import type { ClientRegistryOptions } from '../client-registry.js';
import { logRefusal } from '../http/refusal.js';

interface EngineRefusal {
  readonly req?: IncomingMessage;
  readonly code: number;
  readonly message: string;
}

/** `Session ID unknown`: a client that returns after a restart of the gateway, which is normal. */
const UNKNOWN_SESSION = 1;

const UNSUPPORTED_VERSION = 5;

/** Logs what Socket.IO refuses by itself; otherwise only the client would know. */
export function watchRefusals(io: Pick<Server, 'engine'>, { refusals, routes }: ClientRegistryOptions): void {
  io.engine.on('connection_error', ({ req, code, message }: EngineRefusal) => {
    if (!req || code === UNKNOWN_SESSION) return;
    const remedy = 'use socket.io-client 3 or later, or allow version 2 with socketIo: { allowEIO3: true }';
    const refusal = { status: 400, reason: 'handshake', message: `Socket.IO: ${message}` };
    logRefusal(refusals, req, code === UNSUPPORTED_VERSION ? { ...refusal, remedy } : refusal);
  });
  const paths = routes.map(({ path }) => path).join(', ');
  watchNamespaces(io, (name) => {
    const message = `Socket.IO has no namespace ${name}`;
    refusals.tell({ reason: 'route', subject: name, message, remedy: `the routes are ${paths}` });
  });
}
