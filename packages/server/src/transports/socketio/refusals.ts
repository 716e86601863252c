import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Server } from 'socket.io';
import type { Refusal } from '../../core/ports/transport.js';
import { watchNamespaces } from '../../private-fields/socket-io.js';
import type { ClientRegistry, ClientRegistryOptions } from '../client-registry.js';
import { corsHeaders } from '../http/cors.js';
import { logRefusal, refuseRequest, refuseUpgrade } from '../http/refusal.js';

interface EngineRefusal {
  readonly req?: IncomingMessage;
  readonly code: number;
  readonly message: string;
}

/** `Session ID unknown`: a client that reconnects after a restart of the gateway, which is normal. */
const UNKNOWN_SESSION = 1;

const UNSUPPORTED_VERSION = 5;

/** Logs the refusals of Socket.IO itself, which otherwise only the client would see. */
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

/** Refuses a long-polling request, and logs why. A page of an allowed origin can read the reason. */
export function refusePoll(
  registry: ClientRegistry,
  request: IncomingMessage,
  response: ServerResponse,
  refusal: Refusal,
): void {
  const { origins, refusals } = registry.options;
  logRefusal(refusals, request, refusal);
  refuseRequest(response, refusal, corsHeaders(request, origins));
}

/** Refuses an upgrade on its raw socket, and logs why. */
export function refuseSocket(
  registry: ClientRegistry,
  request: IncomingMessage,
  stream: Duplex,
  refusal: Refusal,
): void {
  logRefusal(registry.options.refusals, request, refusal);
  refuseUpgrade(stream, refusal);
}
