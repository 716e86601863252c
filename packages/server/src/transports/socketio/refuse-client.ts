import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Refusal } from '../../core/ports/transport.js';
import type { ClientRegistry } from '../client-registry.js';
import { corsHeaders } from '../http/cors.js';
import { logRefusal, refuseRequest, refuseUpgrade } from '../http/refusal.js';

/** Refuses a request of long polling, and logs why. A page of an allowed origin can read the reason. */
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

/** Refuses an upgrade on its bare socket, and logs why. */
export function refuseSocket(
  registry: ClientRegistry,
  request: IncomingMessage,
  stream: Duplex,
  refusal: Refusal,
): void {
  logRefusal(registry.options.refusals, request, refusal);
  refuseUpgrade(stream, refusal);
}
