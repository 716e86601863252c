import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { JsonShape } from '@pregon/protocol';
import { ClientConnection } from '../core/connections/client-connection.js';
import { toldError } from '../core/connections/told-error.js';
import type { Link } from '../core/ports/link.js';
import type { Admitted, Kernel, Refusal, Session, TransportEntrance } from '../core/ports/transport.js';
import { assertAllowed } from '../core/topics/allowed-topics.js';
import type { SubscriptionLimits } from '../core/topics/topic-limits.js';
import type { ClientRegistry, Admitted as RegistryAdmitted, RouteVerdict } from './client-registry.js';
import { corsHeaders } from './http/cors.js';
import { assertQuery } from './http/query.js';
import { logRefusal, refuseRequest, refuseUpgrade } from './http/refusal.js';
import type { SocketIoOptions } from './socketio/socketio-options.js';

/** The limits of a frame of `pregon.v1`, or of an event of Socket.IO. */
export interface FrameLimits {
  readonly maxFrameBytes: number;
  readonly shape: JsonShape;
}

/** The gateway as its own transports see it. */
export class GatewayKernel implements Kernel {
  readonly registry: ClientRegistry;
  /** The limits of frames from clients. */
  readonly frames: FrameLimits;
  /** Opens the entrance of Socket.IO, whose server the application can use as `gateway.io`. */
  readonly openSocketIo: (options: SocketIoOptions) => Promise<TransportEntrance>;

  constructor({ registry, frames, openSocketIo }: Pick<GatewayKernel, 'registry' | 'frames' | 'openSocketIo'>) {
    this.registry = registry;
    this.frames = frames;
    this.openSocketIo = openSocketIo;
  }

  /** The kernel that a built-in transport was given. @throws TypeError if another implementation passed its own */
  static of(kernel: Kernel): GatewayKernel {
    if (kernel instanceof GatewayKernel) return kernel;
    throw new TypeError('this transport works only in a gateway of createGateway');
  }

  get maxBufferedBytes(): number {
    return this.registry.options.maxBufferedBytes;
  }

  get maxFrameBytes(): number {
    return this.frames.maxFrameBytes;
  }

  now(): number {
    return this.registry.options.clock.now();
  }

  admit(request: IncomingMessage): Admitted | Refusal | Promise<Admitted | Refusal> {
    const verdict = this.registry.admit(request);
    return verdict instanceof Promise
      ? verdict.then((late) => checked(late, this.registry.options))
      : checked(verdict, this.registry.options);
  }

  refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
    logRefusal(this.registry.options.refusals, request, refusal);
    refuseRequest(response, refusal, corsHeaders(request, this.registry.options.origins));
  }

  refuseUpgrade(request: IncomingMessage, socket: Duplex, refusal: Refusal): void {
    logRefusal(this.registry.options.refusals, request, refusal);
    refuseUpgrade(socket, refusal);
  }

  enter({ route, identity, rights }: Admitted, request: IncomingMessage, link: Link): Session {
    return this.registry.enter({ route: this.registry.routeAt(route.path), identity, rights }, request, link);
  }

  leave(session: Session, code: number, reason: string): void {
    if (!(session instanceof ClientConnection)) throw new TypeError('the session does not belong to this gateway');
    this.registry.leave(session, code, reason);
  }
}

/**
 * Returns what is wrong with a client's query, before the response or connection begins: afterwards no status can be
 * sent.
 */
export function wrongQuery(
  { route, query, rights }: Pick<RegistryAdmitted, 'route' | 'query' | 'rights'>,
  limits: SubscriptionLimits,
): Refusal | undefined {
  try {
    assertQuery(query, limits);
    if (query.snapshot) {
      // Rights come first: without them, a client must not learn whether there is a snapshot.
      if (rights) assertAllowed(query.topics, rights);
      route.assertSnapshot(rights);
    }
    return undefined;
  } catch (error) {
    const { code, message } = toldError(error);
    return { status: code === 'FORBIDDEN' ? 403 : 400, reason: 'request', message };
  }
}

function checked(verdict: RouteVerdict, limits: SubscriptionLimits): Admitted | Refusal {
  if (!('route' in verdict)) return verdict;
  return wrongQuery(verdict, limits) ?? verdict;
}
